package dev.quern.provider.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Weights of any format that are exact in every arithmetic: scales are powers of two, of either
/// sign, and values are all that the format can store, in no order.
final class KnownWeights {
  private KnownWeights() {}

  static WeightMatrix of(BlockFormat format, int outputs, int inputs, Arena arena) {
    MemorySegment data = arena.allocate(outputs * format.rowBytes(inputs));
    MemorySegment scales =
        arena.allocate(format.scalePlane().bytes(outputs, format.blocksPerRow(inputs)));
    switch (format.id()) {
      case "F32", "F16", "BF16" -> {
        for (int i = 0; i < outputs * inputs; i++) {
          setFloat(data, i, format.blockBytes(), format.id(), ((mix(i) & 0xFF) - 128) / 64f);
        }
      }
      default -> fill(format, data);
    }
    int scaleBytes = format.scalePlane().scaleBytes();
    for (int i = 0; i < scales.byteSize() / Math.max(1, scaleBytes); i++) {
      setFloat(scales, i, scaleBytes, format.scalePlane().type(), power(i));
    }
    return new WeightMatrix(format, data, scales, outputs, inputs);
  }

  private static void fill(BlockFormat format, MemorySegment data) {
    long words = data.byteSize() / Integer.BYTES * Integer.BYTES;
    for (long i = 0; i < words; i += Integer.BYTES) {
      data.set(JAVA_INT_UNALIGNED, i, mix(i));
    }
    for (long i = words; i < data.byteSize(); i++) {
      data.set(JAVA_BYTE, i, (byte) mix(i));
    }
    for (long block = 0; block < data.byteSize(); block += format.blockBytes()) {
      for (int at : scalesAt(format)) {
        short half = Float.floatToFloat16(power(block + at));
        data.set(JAVA_SHORT_UNALIGNED, block + at, half);
      }
    }
  }

  /// Where the F16 numbers of a block are: SPEC.md, section F. Most blocks have a scale and begin
  /// with it.
  private static int[] scalesAt(BlockFormat format) {
    return switch (format.id()) {
      case "Q4_1", "Q5_1", "Q4_K", "Q5_K" -> new int[] {0, 2};
      case "Q6_K" -> new int[] {208};
      default -> format.scalePlane() == ScalePlane.INLINE ? new int[] {0} : new int[] {};
    };
  }

  private static void setFloat(MemorySegment to, long i, int bytes, String type, float value) {
    switch (type) {
      case "F16" -> to.set(JAVA_SHORT_UNALIGNED, i * bytes, Float.floatToFloat16(value));
      case "BF16" ->
          to.set(JAVA_SHORT_UNALIGNED, i * bytes, (short) (Float.floatToIntBits(value) >>> 16));
      default -> to.set(JAVA_FLOAT_UNALIGNED, i * bytes, value);
    }
  }

  /// Their values.
  static float[][] decoded(WeightMatrix w, Arena arena) {
    BlockCodec codec = BlockCodec.of(w.format()).orElseThrow();
    MemorySegment row = arena.allocate((long) w.inputs() * Float.BYTES, Float.BYTES);
    float[][] values = new float[w.outputs()][w.inputs()];
    for (int o = 0; o < w.outputs(); o++) {
      codec.decodeRow(w, o, row, 0);
      MemorySegment.copy(row, JAVA_FLOAT_UNALIGNED, 0, values[o], 0, w.inputs());
    }
    return values;
  }

  /// Plus or minus 1/4, 1/8, 1/16, 1/32.
  private static float power(long i) {
    int bits = mix(i);
    return (bits & 4) == 0 ? 0.25f / (1 << (bits & 3)) : -0.25f / (1 << (bits & 3));
  }

  /// Bits in no order, the same ones for the same number (the finaliser of MurmurHash3).
  static int mix(long i) {
    int h = (int) i * 0x9E37_79B1 + 0x7F4A_7C15;
    h = (h ^ h >>> 16) * 0x85EB_CA6B;
    h = (h ^ h >>> 13) * 0xC2B2_AE35;
    return h ^ h >>> 16;
  }
}
