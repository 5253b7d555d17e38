package dev.quern.data;

import static dev.quern.data.LittleEndian.bf16;
import static dev.quern.data.LittleEndian.f32;
import static dev.quern.data.LittleEndian.i8;
import static dev.quern.data.LittleEndian.u8;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/// Integers and their scales in two planes, as ExecuTorch's Llama 3.2 checkpoints have them:
///
/// ```
/// INT4_Bg   data    n[outputs][inputs / 2]                 low nibble: element 2j, high: 2j + 1
///           scales  bf16[outputs][inputs / g]              scale * (n - 8)
/// INT8_C    data    i8[outputs][inputs]
///           scales  f32[outputs]                           scale * q
/// ```
final class ScalePlaneCodecs {
  static final Map<BlockFormat, BlockCodec> TABLE =
      Map.of(
          BlockFormat.INT4_B32, ScalePlaneCodecs::int4,
          BlockFormat.INT4_B64, ScalePlaneCodecs::int4,
          BlockFormat.INT4_B128, ScalePlaneCodecs::int4,
          BlockFormat.INT4_B256, ScalePlaneCodecs::int4,
          BlockFormat.INT8_C, ScalePlaneCodecs::int8);

  private ScalePlaneCodecs() {}

  static void int4(WeightMatrix w, int row, int first, int count, MemorySegment dst, long at) {
    MemorySegment data = w.data();
    int blockBytes = w.format().blockBytes();
    long block = BlockCodecs.firstBlockIndex(w, row, first, count);
    for (int b = 0; b < count; b++, block++) {
      float scale = bf16(w.scales(), block * 2);
      for (int j = 0; j < blockBytes; j++, at += 8) {
        int n = u8(data, block * blockBytes + j);
        dst.set(JAVA_FLOAT, at, scale * ((n & 15) - 8));
        dst.set(JAVA_FLOAT, at + 4, scale * ((n >>> 4) - 8));
      }
    }
  }

  static void int8(WeightMatrix w, int row, int first, int count, MemorySegment dst, long at) {
    MemorySegment data = w.data();
    long src = BlockCodecs.firstBlockIndex(w, row, first, count);
    float scale = f32(w.scales(), 4L * row);
    for (int i = 0; i < count; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, scale * i8(data, src + i));
    }
  }
}
