package dev.quern.provider.x86.activation;

/// What the operators without a weight matrix compute, in plain Java and to the last bit: the order
/// of each sum, and where numbers round. `lanes` are the floats of a vector, since sums of rows
/// depend on them.
final class ActivationReference {
  private ActivationReference() {}

  /// `exp(x)` as [Exp] says.
  static float exp(float x) {
    float clamped = x > Exp.HIGHEST ? Exp.HIGHEST : x < Exp.LOWEST ? Exp.LOWEST : x;
    float shifted = Math.fma(clamped, Exp.LOG2_E, Exp.ROUND);
    float n = shifted - Exp.ROUND;
    float r = Math.fma(-n, Exp.LN2_HIGH, clamped);
    r = Math.fma(-n, Exp.LN2_LOW, r);
    float p = Exp.COEFFICIENTS[0];
    for (int i = 1; i < Exp.COEFFICIENTS.length; i++) {
      p = Math.fma(p, r, Exp.COEFFICIENTS[i]);
    }
    return p * Float.intBitsToFloat(Float.floatToRawIntBits(shifted) << 23);
  }

  static float swiGlu(float gate, float up) {
    return gate / (1 + exp(0 - gate)) * up;
  }

  static float[] rmsNorm(float[] x, float[] weight, float epsilon, int lanes) {
    float[] squares = new float[lanes];
    for (int i = 0; i < x.length; i++) {
      squares[i % lanes] = Math.fma(x[i], x[i], squares[i % lanes]);
    }
    float sum = sum(squares);
    float mean = sum / x.length + Math.fma(0, sum, epsilon);
    float scale = 1 / (float) Math.sqrt(mean);
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] * scale * weight[i];
    }
    return y;
  }

  /// Of all lanes: of four, those that are 2 apart first; then neighbours among the fours, then
  /// those.
  static float sum(float[] lanes) {
    float[] fours = new float[lanes.length / 4];
    for (int i = 0; i < fours.length; i++) {
      fours[i] = lanes[4 * i] + lanes[4 * i + 2] + (lanes[4 * i + 1] + lanes[4 * i + 3]);
    }
    float first = fours[0] + fours[1];
    return fours.length == 2 ? first : first + (fours[2] + fours[3]);
  }

  /// One pair: `a'` and `b'`.
  ///
  /// @param adjacent which of the products rounds by itself
  static float[] rotate(float a, float b, float cos, float sin, boolean adjacent) {
    return adjacent
        ? new float[] {Math.fma(a, cos, -(b * sin)), Math.fma(b, cos, a * sin)}
        : new float[] {Math.fma(-b, sin, a * cos), Math.fma(b, cos, a * sin)};
  }
}
