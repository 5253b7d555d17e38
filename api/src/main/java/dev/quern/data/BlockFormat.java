package dev.quern.data;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// A weight storage format: rows of equal blocks. The set is open, so this is a record and not an
/// enum: a provider asks by [#id] and declines what it does not know.
///
/// The bytes of every format listed here are fixed in SPEC.md, section F.
///
/// @param id the format's name, as users and reports see it
/// @param blockElements weights in a block; rows hold a whole number of blocks
/// @param blockBytes bytes of a block in the data plane
/// @param scalePlane the plane of scales beside the data, [ScalePlane#INLINE] where there is none
/// @since 0.1
/// @stability contract
public record BlockFormat(String id, int blockElements, int blockBytes, ScalePlane scalePlane) {
  public static final BlockFormat F32 = inline("F32", 1, Float.BYTES);
  public static final BlockFormat F16 = inline("F16", 1, Short.BYTES);
  public static final BlockFormat BF16 = inline("BF16", 1, Short.BYTES);
  public static final BlockFormat Q8_0 = inline("Q8_0", 32, 2 + 32);
  public static final BlockFormat Q4_0 = inline("Q4_0", 32, 2 + 16);
  public static final BlockFormat Q4_1 = inline("Q4_1", 32, 2 + 2 + 16);
  public static final BlockFormat Q5_0 = inline("Q5_0", 32, 2 + 4 + 16);
  public static final BlockFormat Q5_1 = inline("Q5_1", 32, 2 + 2 + 4 + 16);
  public static final BlockFormat IQ4_NL = inline("IQ4_NL", 32, 2 + 16);
  public static final BlockFormat MXFP4 = inline("MXFP4", 32, 1 + 16);
  public static final BlockFormat Q2_K = inline("Q2_K", 256, 16 + 64 + 2 + 2);
  public static final BlockFormat Q3_K = inline("Q3_K", 256, 32 + 64 + 12 + 2);
  public static final BlockFormat Q4_K = inline("Q4_K", 256, 2 + 2 + 12 + 128);
  public static final BlockFormat Q5_K = inline("Q5_K", 256, 2 + 2 + 12 + 32 + 128);
  public static final BlockFormat Q6_K = inline("Q6_K", 256, 128 + 64 + 16 + 2);
  public static final BlockFormat INT4_B32 = int4("INT4_B32", 32);
  public static final BlockFormat INT4_B64 = int4("INT4_B64", 64);
  public static final BlockFormat INT4_B128 = int4("INT4_B128", 128);
  public static final BlockFormat INT4_B256 = int4("INT4_B256", 256);
  public static final BlockFormat INT8_C =
      new BlockFormat("INT8_C", 1, 1, ScalePlane.F32_PER_OUTPUT);

  private static final List<BlockFormat> STANDARD =
      List.of(
          F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, MXFP4, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K,
          INT4_B32, INT4_B64, INT4_B128, INT4_B256, INT8_C);

  public BlockFormat {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(scalePlane, "scalePlane");
    if (blockElements < 1 || blockBytes < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "block format %s: blockElements=%d, blockBytes=%d, expected both >= 1",
              id,
              blockElements,
              blockBytes));
    }
  }

  /// The formats that SPEC.md fixes, in its order.
  public static List<BlockFormat> standard() {
    return STANDARD;
  }

  /// The standard format of that name, if there is one.
  public static Optional<BlockFormat> byId(String id) {
    return STANDARD.stream().filter(f -> f.id.equals(id)).findFirst();
  }

  /// Blocks of a row of `inputs` weights.
  ///
  /// @throws IllegalArgumentException where a row is not a whole number of blocks
  public int blocksPerRow(int inputs) {
    if (inputs < 1 || inputs % blockElements != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "block format %s: inputs=%d, expected a positive multiple of %d",
              id,
              inputs,
              blockElements));
    }
    return inputs / blockElements;
  }

  /// Bytes of a row of `inputs` weights in the data plane.
  public long rowBytes(int inputs) {
    return (long) blocksPerRow(inputs) * blockBytes;
  }

  @Override
  public String toString() {
    return id;
  }

  private static BlockFormat inline(String id, int blockElements, int blockBytes) {
    return new BlockFormat(id, blockElements, blockBytes, ScalePlane.INLINE);
  }

  private static BlockFormat int4(String id, int blockElements) {
    return new BlockFormat(id, blockElements, blockElements / 2, ScalePlane.BF16_PER_BLOCK);
  }
}
