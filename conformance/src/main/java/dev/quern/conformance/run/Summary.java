package dev.quern.conformance.run;

import java.util.Arrays;
import java.util.Locale;

/// Operands in one line, for failure reports.
final class Summary {
  private Summary() {}

  /// For example `[3, 64] stride 67: -2.1 .. 3.4, 2 zero, 1 NaN`, and all values if they are few.
  static String of(float[] values, int rows, int columns, int stride) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    int zero = 0;
    int nan = 0;
    int infinite = 0;
    for (float v : values) {
      if (Float.isFinite(v)) {
        min = Math.min(min, v);
        max = Math.max(max, v);
      }
      zero += v == 0 ? 1 : 0;
      nan += Float.isNaN(v) ? 1 : 0;
      infinite += Float.isInfinite(v) ? 1 : 0;
    }
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "[%d, %d]", rows, columns));
    if (stride != columns) {
      text.append(" stride ").append(stride);
    }
    if (values.length <= 8) {
      return text.append(": ").append(Arrays.toString(values)).toString();
    }
    text.append(min <= max ? String.format(Locale.ROOT, ": %s .. %s", min, max) : ": none finite");
    append(text, zero, "zero");
    append(text, nan, "NaN");
    append(text, infinite, "infinite");
    return text.toString();
  }

  private static void append(StringBuilder text, int count, String what) {
    if (count > 0) {
      text.append(", ").append(count).append(' ').append(what);
    }
  }
}
