package dev.quern.data;

import java.util.Objects;

/// Where a format's scales live when they do not sit inside its blocks (SPEC.md, section F).
///
/// @param type the element type of the plane: `none`, `BF16` or `F32`
/// @param scaleBytes bytes of one scale; 0 where there is no plane
/// @param perBlock true: one scale per block, `[output][block]`; false: one per output row,
///   `[output]`
/// @since 0.1
/// @stability contract
public record ScalePlane(String type, int scaleBytes, boolean perBlock) {
  /// Scales sit inside the blocks; the plane is empty.
  public static final ScalePlane INLINE = new ScalePlane("none", 0, false);

  /// One BF16 scale per block, rows dense: `[output][inputs / blockElements]`.
  public static final ScalePlane BF16_PER_BLOCK = new ScalePlane("BF16", 2, true);

  /// One F32 scale per output row: `[output]`.
  public static final ScalePlane F32_PER_OUTPUT = new ScalePlane("F32", 4, false);

  public ScalePlane {
    Objects.requireNonNull(type, "type");
    if (scaleBytes < 0) {
      throw new IllegalArgumentException("scaleBytes=" + scaleBytes + ", expected >= 0");
    }
  }

  /// Bytes of the plane of a matrix.
  ///
  /// @param outputs rows of the weight matrix
  /// @param blocksPerRow blocks of one row
  public long bytes(long outputs, long blocksPerRow) {
    return Math.multiplyExact(
        Math.multiplyExact(outputs, perBlock ? blocksPerRow : 1L), (long) scaleBytes);
  }
}
