package dev.quern.conformance.judge;

/// The error bounds of SPEC.md. Each is derived in `docs/conformance-bounds.md`.
///
/// @since 0.1
/// @stability api
public final class Bounds {
  /// Unit roundoff of F32.
  public static final double U = 0x1p-24;

  /// The smallest normal F32: what treating subnormals as zero costs (rule P20).
  public static final double TINY = 0x1p-126;

  /// A gate below minus this is far beyond where tanh is -1 in F32, and `1 + tanh` loses all
  /// digits.
  private static final double GELU_LOSES = 8;

  private Bounds() {}

  /// Rule L5, for one output of one row.
  ///
  /// @param products `Σ abs(x) * M`
  /// @param operands `Σ (1 + abs(x) + M)`
  public static double linear(int inputs, double products, double operands) {
    return (inputs + 8) * U * products + 256 * TINY * operands;
  }

  /// Rule A6, the error of a score before a soft cap.
  ///
  /// @param products `scale * max over t of Σ abs(q * K[t])`
  /// @param operands `scale * max over t of Σ (1 + abs(q) + abs(K[t]))`
  public static double product(int headDim, double products, double operands) {
    return (headDim + 8) * U * products + TINY * operands;
  }

  /// Rule A6, the error of a score as that of its weight.
  ///
  /// @param error of the score, behind a soft cap if there is one
  public static double score(double error) {
    return 4 * U + error;
  }

  /// Rule A6, what is left of a score's error behind a soft cap.
  ///
  /// @param score the exact score, scaled
  /// @param error how far a computed one may be from it
  /// @param products `scale * Σ abs(q * K[t])`
  public static double capped(double cap, double score, double error, double products) {
    double exact = Math.tanh(score / cap);
    double above = Math.tanh((score + error) / cap) - exact;
    double below = exact - Math.tanh((score - error) / cap);
    return cap * Math.max(above, below)
        + 16 * U * Math.min(cap, products)
        + TINY * cap * (1 + products);
  }

  /// Rule A6, for one element of y.
  ///
  /// @param e error of a score
  /// @param earlier positions before its own that the row sees
  /// @param products `Σ w[t] * abs(V[t])`
  /// @param operands `Σ (1 + abs(V[t]))`
  public static double attention(double e, int earlier, double products, double operands) {
    return Math.expm1(2 * e + (4.0 * earlier + 16) * U) * products + TINY * (1 + operands);
  }

  /// Rule N1.
  ///
  /// @param groupWidth numbers of a mean
  public static double rmsNorm(int groupWidth, double exact) {
    return (groupWidth / 2.0 + 8) * U * Math.abs(exact) + TINY;
  }

  /// Rule R1.
  public static double rope(double a, double b, double cos, double sin) {
    return 3 * U * (Math.abs(a * cos) + Math.abs(b * sin))
        + TINY * (3 + Math.abs(a) + Math.abs(b) + Math.abs(cos) + Math.abs(sin));
  }

  /// Rule S1, for GELU by tanh.
  public static double geGlu(double gate, double up, double exact) {
    double lost = Math.min(Math.abs(gate), GELU_LOSES) * Math.abs(up);
    return 16 * U * Math.max(Math.abs(exact), lost)
        + TINY * (1 + Math.abs(gate)) * (1 + Math.abs(up));
  }

  /// Rule S1, for SiLU.
  public static double swiGlu(double gate, double up, double exact) {
    return 16 * U * Math.abs(exact) + TINY * (1 + Math.abs(gate)) * (1 + Math.abs(up));
  }
}
