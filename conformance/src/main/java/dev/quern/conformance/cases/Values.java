package dev.quern.conformance.cases;

/// How activations are distributed. All are finite: rules that speak of NaN and infinities put them
/// in themselves.
public enum Values {
  /// About normal, of unit size.
  NORMAL,
  /// Small integers, so that every sum is exact.
  INTEGER,
  /// 1 in one column of each row, a different one each time, else 0.
  ONE_HOT,
  /// Zeros, a few ones among them.
  ZERO,
  /// The same value in a whole row.
  CONSTANT,
  /// Positive only: the smallest of an int8 row is then 0 by rule L7.
  POSITIVE,
  /// Negative only.
  NEGATIVE,
  /// One value in 32 is 10,000 times the others.
  OUTLIER,
  /// Each is the row's largest magnitude, of either sign: quantized values at the ends of their
  /// range.
  EXTREME,
  /// Halves between two steps of int8 quantization: even rows for rule L6, odd ones for L7.
  TIES,
  /// Magnitudes from 2^-40 to 2^40.
  WIDE,
  /// Subnormals, and normals near them.
  SUBNORMAL,
  /// Zero but for a part of the row, of about normal numbers: its end in the first row, its start
  /// in the second, then beside powers of two and anywhere.
  WINDOW;

  /// Columns of a row times those of its window: the bound of rule L5 grows with both, and one
  /// wrong product must still exceed it.
  private static final int WINDOW_PRODUCT = 1 << 23;

  /// Row-major values. Of very many, rows are alike (see [Repeats]).
  ///
  /// @param count how many
  /// @param columns columns of a row
  public float[] fill(int count, int columns, Mix mix) {
    float[] values = new float[count];
    int rows = Math.ceilDiv(count, columns);
    int different = Repeats.different(rows, columns);
    for (int row = 0; row < different; row++) {
      fillRow(values, row, columns, mix);
    }
    int[] sources = different < rows ? Repeats.sources(rows, different, mix) : new int[0];
    for (int row = different; row < rows; row++) {
      int at = row * columns;
      System.arraycopy(values, sources[row] * columns, values, at, Math.min(columns, count - at));
    }
    return values;
  }

  private void fillRow(float[] values, int row, int columns, Mix mix) {
    if (this == WINDOW) {
      fillWindow(values, row, columns, mix);
      return;
    }
    int at = row * columns;
    float level = (float) Math.scalb(mix.uniform() + 0.5, mix.below(9) - 4);
    int hot = mix.below(columns);
    for (int i = 0; i < columns; i++) {
      values[at + i] =
          (float)
              switch (this) {
                case NORMAL -> mix.normal();
                case INTEGER -> mix.below(33) - 16;
                case ONE_HOT -> i == hot ? 1 : 0;
                case ZERO -> mix.oneIn(29) ? 1 : 0;
                case CONSTANT -> level;
                case POSITIVE -> 0.01 + mix.uniform();
                case NEGATIVE -> -0.01 - mix.uniform();
                case OUTLIER -> mix.normal() * (i % 32 == hot % 32 ? 1e4 : 1);
                case EXTREME -> (mix.next() & 1) == 0 ? level : -level;
                case TIES -> tie(row, i, mix);
                case WIDE -> mix.wide(-40, 40);
                case SUBNORMAL -> mix.wide(-149, -120);
                case WINDOW -> throw new IllegalStateException("filled as a whole");
              };
    }
  }

  /// Its first and last number are the largest and the smallest, as 127 is to -128: what is left
  /// out at an end of the row shows, and the zero point of rule L7 is 0, so that the zeros around
  /// the window add nothing to the bound.
  private static void fillWindow(float[] values, int row, int columns, Mix mix) {
    int width = Math.min(columns, row < 2 ? 32 : Math.max(32, WINDOW_PRODUCT / columns));
    int power = Integer.highestOneBit(columns) >> mix.below(4);
    int anywhere = mix.below(columns - width + 1);
    int start =
        switch (row) {
          case 0 -> columns - width;
          case 1 -> 0;
          default -> row % 3 == 0 ? Math.clamp(power - width / 2, 0, columns - width) : anywhere;
        };
    int at = row * columns + start;
    float largest = 0;
    for (int i = 0; i < width; i++) {
      values[at + i] = (float) mix.normal();
      largest = Math.max(largest, Math.abs(values[at + i]));
    }
    values[at] = largest;
    values[at + width - 1] = width == 1 ? largest : -largest * (128f / 127);
  }

  /// With 127 and -127 in a group of 32 its step by L6 is 1; with 127 and -128 a row's step by L7.
  private static double tie(int row, int i, Mix mix) {
    return switch (i % 32) {
      case 0 -> 127;
      case 1 -> row % 2 == 0 ? -127 : -128;
      default -> mix.below(254) - 127 + (mix.oneIn(8) ? 0 : 0.5);
    };
  }
}
