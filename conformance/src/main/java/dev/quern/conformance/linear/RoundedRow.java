package dev.quern.conformance.linear;

import dev.quern.conformance.judge.Half;
import dev.quern.op.Numerics;
import java.util.ArrayList;
import java.util.List;

/// A row of activations as a numerics represents it: the models of rules L5 to L8, and L13.
///
/// @param values what `x[i]` is taken to be
/// @param magnitudes what errors are relative to: `abs(values)`, under `int8-asym-row` those of q
///   and z together, since kernels sum the two apart
/// @param slack the step where q MAY differ by 1 (rule L8), else 0
/// @param distance how far `x[i]` itself may be from `values` (rule L9)
public record RoundedRow(double[] values, double[] magnitudes, double[] slack, double[] distance) {

  /// How near to a tie `x * r` must be for q to be free, in steps (rule L8).
  private static final double TIE = 0x1p-16;

  /// What the rule leaves open gives several models, of which a row must meet one: first the one by
  /// the letter, then those with another zero point where that one is near a tie.
  ///
  /// @param x a row, all of it finite
  public static List<RoundedRow> models(Numerics numerics, float[] x) {
    if (numerics.activationBits() == 32) {
      return List.of(exact(x));
    } else if (numerics.equals(Numerics.BF16)) {
      return List.of(bf16(x));
    } else if (numerics.equals(Numerics.INT8_SYM_32_F16)) {
      return List.of(symmetric(x, numerics.groupSize(), f16Unit(x)));
    } else if (numerics.symmetric() && numerics.groupSize() > 0) {
      return List.of(symmetric(x, numerics.groupSize(), 0));
    } else if (numerics.equals(Numerics.INT8_ASYM_ROW)) {
      return asymmetric(x);
    }
    throw new IllegalArgumentException("no model for numerics " + numerics);
  }

  private static RoundedRow exact(float[] x) {
    RoundedRow row = empty(x.length);
    for (int i = 0; i < x.length; i++) {
      row.values[i] = x[i];
      row.magnitudes[i] = Math.abs(x[i]);
    }
    return row;
  }

  /// The distance is that of x and of the weight together (rule L13).
  private static RoundedRow bf16(float[] x) {
    RoundedRow row = empty(x.length);
    for (int i = 0; i < x.length; i++) {
      row.values[i] = Half.roundToBf16(x[i]);
      row.magnitudes[i] = Math.abs(row.values[i]);
      row.distance[i] = (0x1p-7 + 0x1p-16) * Math.abs(x[i]);
    }
    return row;
  }

  /// The power of two in units of which a row's steps are rounded to F16 (rule L6).
  private static double f16Unit(float[] x) {
    float largest = 0;
    for (float v : x) {
      largest = Math.max(largest, Math.abs(v));
    }
    largest /= 127;
    boolean inRange = largest >= 0x1p-14f && largest <= 0x1p15f;
    return inRange || largest == 0 ? 1 : Math.scalb(1.0, Math.getExponent(largest));
  }

  /// @param f16Unit steps are rounded to F16 in units of this; 0 where they stay F32
  private static RoundedRow symmetric(float[] x, int group, double f16Unit) {
    RoundedRow row = empty(x.length);
    for (int from = 0; from < x.length; from += group) {
      int to = Math.min(from + group, x.length);
      float max = 0;
      for (int i = from; i < to; i++) {
        max = Math.max(max, Math.abs(x[i]));
      }
      float d = max / 127;
      float r = 1 / d;
      boolean zero = d == 0 || Float.isInfinite(r);
      for (int i = from; i < to; i++) {
        double scaled = zero ? 0 : (double) x[i] * r;
        double q = Math.clamp(halfAway((float) scaled), -127, 127);
        row.set(i, x[i], zero ? 0 : d, q, 0, scaled, 0.5);
        if (f16Unit != 0 && !zero) {
          row.setStep(i, d, toF16(d / f16Unit) * f16Unit, q);
        }
      }
    }
    return row;
  }

  private static List<RoundedRow> asymmetric(float[] x) {
    float hi = 0;
    float lo = 0;
    for (float v : x) {
      hi = Math.max(hi, v);
      lo = Math.min(lo, v);
    }
    float inverse = lo == hi ? 1 : 255 / (hi - lo);
    float s = inverse == 0 || Float.isInfinite(inverse) ? 0 : 1 / inverse;
    float below = -128 - lo * inverse;
    float above = 127 - hi * inverse;
    float balance = (-128 + lo * inverse) + (127 + hi * inverse);
    List<Integer> zeroPoints = new ArrayList<>();
    addZeroPoint(zeroPoints, balance > 0 ? below : above, 0);
    // Products and sums of up to 255 that are rounded differently (fused, say) move z by 2^-14.
    for (float z : Math.abs(balance) <= 0x1p-14 ? new float[] {below, above} : new float[0]) {
      addZeroPoint(zeroPoints, z, 0);
    }
    for (double nudge : new double[] {-0x1p-14, 0x1p-14}) {
      addZeroPoint(zeroPoints, balance > 0 ? below : above, nudge);
    }
    return zeroPoints.stream().map(z -> asymmetric(x, inverse, s, z)).toList();
  }

  private static void addZeroPoint(List<Integer> zeroPoints, float z, double nudge) {
    int rounded = (int) Math.rint(Math.clamp(z + nudge, -128, 127));
    if (!zeroPoints.contains(rounded)) {
      zeroPoints.add(rounded);
    }
  }

  private static RoundedRow asymmetric(float[] x, float inverse, float s, int z) {
    RoundedRow row = empty(x.length);
    for (int i = 0; i < x.length; i++) {
      double scaled = s == 0 ? 0 : (double) x[i] * inverse;
      double q = Math.clamp(halfAway((float) scaled) + z, -128, 127);
      row.set(i, x[i], s, q, z, scaled, 1.5);
    }
    return row;
  }

  /// @param steps distance of `x[i]` from its rounded value, at most
  private void set(int i, double x, double step, double q, double z, double scaled, double steps) {
    values[i] = step * (q - z);
    magnitudes[i] = step * (Math.abs(q) + Math.abs(z));
    double fraction = Math.abs(scaled) - Math.floor(Math.abs(scaled));
    slack[i] = Math.abs(fraction - 0.5) <= TIE ? step : 0;
    distance[i] = step == 0 ? Math.abs(x) : steps * step * (1 + 0x1p-10);
  }

  /// What the kernel takes the step to be, of a value that was rounded with another.
  private void setStep(int i, double rounded, double used, double q) {
    values[i] = used * q;
    magnitudes[i] = used * Math.abs(q);
    slack[i] = slack[i] == 0 ? 0 : used;
    distance[i] += 127 * Math.abs(rounded - used);
  }

  /// d is an F32 number over a power of two, and in the range of F32.
  private static double toF16(double d) {
    return Float.float16ToFloat(Float.floatToFloat16((float) d));
  }

  private static double halfAway(double v) {
    return Math.copySign(Math.floor(Math.abs(v) + 0.5), v);
  }

  private static RoundedRow empty(int n) {
    return new RoundedRow(new double[n], new double[n], new double[n], new double[n]);
  }
}
