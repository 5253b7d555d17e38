package dev.quern.conformance.mutants;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// A row as a kernel reads it that takes its blocks for others: they are changed before they are
/// decoded.
final class SpoiltBlocks {
  private static final Map<Fault, BlockFormat> FORMATS =
      Map.of(
          Fault.MINIMUM_OF_32, BlockFormat.Q2_K,
          Fault.THIRD_BIT_INVERTED, BlockFormat.Q3_K,
          Fault.UPPER_SCALE_BITS_SHIFTED, BlockFormat.Q3_K,
          Fault.SCALE_NOT_HALVED, BlockFormat.MXFP4,
          Fault.POWER_AS_F16, BlockFormat.MXFP4);

  private SpoiltBlocks() {}

  /// Whether a fault is of this format's blocks.
  static boolean are(Fault fault, BlockFormat format) {
    return format.equals(FORMATS.get(fault));
  }

  /// A row of a matrix, as a matrix of its own.
  static WeightMatrix of(Fault fault, WeightMatrix w, int row) {
    BlockFormat format = w.format();
    long bytes = format.rowBytes(w.inputs());
    byte[] copy = w.data().asSlice(row * bytes, bytes).toArray(JAVA_BYTE);
    for (int block = 0; block < copy.length; block += format.blockBytes()) {
      spoil(fault, copy, block);
    }
    return new WeightMatrix(format, MemorySegment.ofArray(copy), 1, w.inputs());
  }

  private static void spoil(Fault fault, byte[] data, int block) {
    switch (fault) {
      case MINIMUM_OF_32 -> {
        for (int g = block + 1; g < block + 16; g += 2) {
          data[g] = (byte) (data[g] & 15 | data[g - 1] & 0xF0);
        }
      }
      case THIRD_BIT_INVERTED -> {
        for (int i = block; i < block + 32; i++) {
          data[i] ^= -1;
        }
      }
      case UPPER_SCALE_BITS_SHIFTED -> {
        for (int i = block + 104; i < block + 108; i++) {
          data[i] = (byte) ((data[i] & 0xFF) >>> 2 | data[i] << 6);
        }
      }
      case SCALE_NOT_HALVED -> data[block] += (byte) (data[block] == -1 ? 0 : 1);
      case POWER_AS_F16 -> {
        int e = data[block] & 0xFF; // 2^(e - 128)
        data[block] = (byte) (e == 255 ? e : Math.clamp(e, 128 - 24, 128 + 15));
      }
      default -> throw new IllegalArgumentException("not a fault of blocks: " + fault);
    }
  }
}
