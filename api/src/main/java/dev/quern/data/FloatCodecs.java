package dev.quern.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/// F32, F16 and BF16: rows of plain numbers. A block is one of them.
final class FloatCodecs {
  static final Map<BlockFormat, BlockCodec> TABLE =
      Map.of(
          BlockFormat.F32, FloatCodecs::f32,
          BlockFormat.F16, FloatCodecs::f16,
          BlockFormat.BF16, FloatCodecs::bf16);

  private FloatCodecs() {}

  static void f32(WeightMatrix w, int row, int first, int count, MemorySegment dst, long at) {
    MemorySegment data = w.data();
    long src = BlockCodecs.firstBlockIndex(w, row, first, count) * Float.BYTES;
    for (int i = 0; i < count; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, LittleEndian.f32(data, src + 4L * i));
    }
  }

  static void f16(WeightMatrix w, int row, int first, int count, MemorySegment dst, long at) {
    MemorySegment data = w.data();
    long src = BlockCodecs.firstBlockIndex(w, row, first, count) * Short.BYTES;
    for (int i = 0; i < count; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, LittleEndian.f16(data, src + 2L * i));
    }
  }

  static void bf16(WeightMatrix w, int row, int first, int count, MemorySegment dst, long at) {
    MemorySegment data = w.data();
    long src = BlockCodecs.firstBlockIndex(w, row, first, count) * Short.BYTES;
    for (int i = 0; i < count; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, LittleEndian.bf16(data, src + 2L * i));
    }
  }
}
