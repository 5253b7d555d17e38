package dev.quern.provider.scalar;

import dev.quern.data.WeightMatrix;
import dev.quern.testing.TestWeights;

/// What SPEC.md, section L, says of one output, from formulas written for the tests.
final class LinearReference {
  static final double U = 0x1p-24;

  private LinearReference() {}

  /// Σ x*w and Σ abs(x*w).
  record Sums(double sum, double magnitude) {
    static Sums of(double[] x, double[] w) {
      double sum = 0;
      double magnitude = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * w[i];
        magnitude += Math.abs(x[i] * w[i]);
      }
      return new Sums(sum, magnitude);
    }
  }

  static double[] weights(WeightMatrix w, int o) {
    double[] values = new double[w.inputs()];
    for (int i = 0; i < values.length; i++) {
      values[i] = TestWeights.value(w, o, i);
    }
    return values;
  }

  /// Activations of a group, x[i] = step * (q[i] - zero).
  record Quantized(int[] q, float[] step, int zero, int group) {
    double value(int i) {
      return (double) step[i / group] * (q[i] - zero);
    }

    double[] values() {
      double[] values = new double[q.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(i);
      }
      return values;
    }

    /// step * (abs(q) + abs(zero)): what an activation is made of.
    double[] parts() {
      double[] values = new double[q.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (double) step[i / group] * (Math.abs(q[i]) + Math.abs(zero));
      }
      return values;
    }
  }

  /// Rule L6.
  static Quantized symmetric(float[] x, int group) {
    int[] q = new int[x.length];
    float[] step = new float[x.length / group];
    for (int g = 0; g < step.length; g++) {
      float max = 0;
      for (int i = g * group; i < (g + 1) * group; i++) {
        max = Math.max(max, Math.abs(x[i]));
      }
      float d = max / 127f;
      float r = 1f / d;
      if (d != 0 && r != Float.POSITIVE_INFINITY) {
        step[g] = d;
        for (int i = g * group; i < (g + 1) * group; i++) {
          q[i] = halfAway(x[i] * r);
        }
      }
    }
    return new Quantized(q, step, 0, group);
  }

  /// Rule L7.
  static Quantized asymmetric(float[] x) {
    float hi = 0;
    float lo = 0;
    for (float xi : x) {
      hi = Math.max(hi, xi);
      lo = Math.min(lo, xi);
    }
    float inverse = lo == hi ? 1f : 255f / (hi - lo);
    float s = Float.isInfinite(inverse) || inverse == 0 ? 0 : 1f / inverse;
    int[] q = new int[x.length];
    if (s == 0) {
      return new Quantized(q, new float[] {0}, 0, x.length);
    }
    float below = lo * inverse;
    float above = hi * inverse;
    float z = (-128f + below) + (127f + above) > 0 ? -128f - below : 127f - above;
    int zero = (int) Math.rint(Math.max(-128.0, Math.min(127.0, z)));
    for (int i = 0; i < x.length; i++) {
      q[i] = Math.max(-128, Math.min(127, halfAway(x[i] * inverse) + zero));
    }
    return new Quantized(q, new float[] {s}, zero, x.length);
  }

  private static int halfAway(float v) {
    return (int) (Math.signum(v) * Math.floor(Math.abs((double) v) + 0.5));
  }

  /// The documented order of Int8Sym.
  static float int8Sym(Quantized x, WeightMatrix w, int o, int group) {
    double y = 0;
    for (int from = 0; from < w.inputs(); from += group) {
      long products = 0;
      long sum = 0;
      for (int i = from; i < from + group; i++) {
        products += (long) x.q[i] * TestWeights.integer(w, o, i);
        sum += x.q[i];
      }
      y +=
          x.step[from / x.group]
              * ((double) TestWeights.scale(w, o, from) * products
                  + (double) TestWeights.offset(w, o, from) * sum);
    }
    return (float) y;
  }

  /// KleidiAI's qai8dxp x qsi4c32p.
  static float kleidiInt4(Quantized x, WeightMatrix w, int o, int block) {
    float rowSum = 0;
    for (int from = 0; from < w.inputs(); from += 32) {
      int sum = 0;
      for (int i = from; i < from + 32; i++) {
        sum += TestWeights.integer(w, o, i);
      }
      rowSum = rowSum + (float) sum * TestWeights.scale(w, o, from);
    }
    float acc = 0;
    for (int from = 0; from < w.inputs(); from += block) {
      int dot = 0;
      for (int i = from; i < from + block; i++) {
        dot += x.q[i] * TestWeights.integer(w, o, i);
      }
      acc = Math.fma((float) dot, TestWeights.scale(w, o, from), acc);
    }
    acc = Math.fma(rowSum, (float) -x.zero, acc);
    return acc * x.step[0] + 0f;
  }

  /// KleidiAI's qai8dxp x qsi8cxp, in int32.
  static float kleidiInt8(Quantized x, WeightMatrix w, int o) {
    int dot = 0;
    int sum = 0;
    for (int i = 0; i < w.inputs(); i++) {
      dot += x.q[i] * TestWeights.integer(w, o, i);
      sum += TestWeights.integer(w, o, i);
    }
    int a = dot - x.zero * sum;
    return (float) a * (TestWeights.scale(w, o, 0) * x.step[0]) + 0f;
  }
}
