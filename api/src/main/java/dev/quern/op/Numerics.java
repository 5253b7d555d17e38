package dev.quern.op;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// An arithmetic that a linear kernel may use: how activations are represented while they meet the
/// weights. It names the error model that the conformance suite applies (SPEC.md, L5 to L9, L13).
/// The set is open, so this is a record and not an enum.
///
/// @param id the name, as users and reports see it
/// @param activationBits 32 where activations are not rounded, else the bits of a rounded
///   activation
/// @param groupSize activations of a row that share a scale; 0 means the whole row
/// @param symmetric true where a rounded activation has no zero point
/// @since 0.1
/// @stability contract
public record Numerics(String id, int activationBits, int groupSize, boolean symmetric) {
  /// Activations stay F32; weights are used at their decoded values.
  public static final Numerics EXACT_F32 = new Numerics("exact-f32", 32, 0, true);

  /// Int8 activations, one scale per 32, no zero point.
  public static final Numerics INT8_SYM_32 = new Numerics("int8-sym-32", 8, 32, true);

  /// Int8 activations, one scale per 256, no zero point.
  public static final Numerics INT8_SYM_256 = new Numerics("int8-sym-256", 8, 256, true);

  /// Int8 activations, one scale per 32, no zero point; the scale is rounded to F16.
  public static final Numerics INT8_SYM_32_F16 = new Numerics("int8-sym-32-f16", 8, 32, true);

  /// Int8 activations, one scale and one zero point per row.
  public static final Numerics INT8_ASYM_ROW = new Numerics("int8-asym-row", 8, 0, false);

  /// Activations and decoded weights rounded to BF16, products summed in F32.
  public static final Numerics BF16 = new Numerics("bf16", 16, 0, true);

  private static final List<Numerics> STANDARD =
      List.of(EXACT_F32, INT8_SYM_32, INT8_SYM_256, INT8_ASYM_ROW, INT8_SYM_32_F16, BF16);

  public Numerics {
    Objects.requireNonNull(id, "id");
    if (activationBits < 1 || activationBits > 32 || groupSize < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "numerics %s: activationBits=%d, groupSize=%d, expected 1..32 and >= 0",
              id,
              activationBits,
              groupSize));
    }
  }

  /// The arithmetics that SPEC.md defines.
  public static List<Numerics> standard() {
    return STANDARD;
  }

  @Override
  public String toString() {
    return id;
  }
}
