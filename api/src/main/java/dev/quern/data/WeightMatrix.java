package dev.quern.data;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Objects;

/// Weights as they are stored: `outputs` dense rows of `inputs` weights. No alignment is assumed,
/// so a tensor can be read where a file is mapped.
///
/// @param format the block format
/// @param data `[outputs][inputs / blockElements]` blocks of `blockBytes` bytes
/// @param scales the scale plane (see [ScalePlane]), [MemorySegment#NULL] where scales sit inside
///   the blocks
/// @param outputs rows
/// @param inputs weights of a row
/// @since 0.1
/// @stability contract
public record WeightMatrix(
    BlockFormat format, MemorySegment data, MemorySegment scales, int outputs, int inputs) {

  public WeightMatrix {
    Objects.requireNonNull(format, "format");
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(scales, "scales");
    if (outputs < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "weight matrix %s: outputs=%d, expected >= 1", format, outputs));
    }
    long dataBytes = Math.multiplyExact((long) outputs, format.rowBytes(inputs));
    if (data.byteSize() != dataBytes) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "weight matrix %s[%d, %d]: data holds %d bytes, expected %d",
              format,
              outputs,
              inputs,
              data.byteSize(),
              dataBytes));
    }
    long scaleBytes = format.scalePlane().bytes(outputs, format.blocksPerRow(inputs));
    if (scales.byteSize() != scaleBytes) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "weight matrix %s[%d, %d]: scales hold %d bytes, expected %d (%s)",
              format,
              outputs,
              inputs,
              scales.byteSize(),
              scaleBytes,
              scaleBytes == 0
                  ? "the scales of this format sit inside its blocks"
                  : "a plane of " + format.scalePlane().type()));
    }
  }

  /// A matrix whose scales sit inside its blocks.
  public WeightMatrix(BlockFormat format, MemorySegment data, int outputs, int inputs) {
    this(format, data, MemorySegment.NULL, outputs, inputs);
  }
}
