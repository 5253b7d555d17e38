package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A weight format as integers: `W[i] = scale[i / group] * q[i] + offset[i / group]`.
///
/// @param format the format
/// @param activations the int8 activations that fit it: their groups are whole blocks
/// @param group integers that share a scale; 0: the whole row
/// @param unpacker reads a row
record IntegerFormat(BlockFormat format, Numerics activations, int group, RowUnpacker unpacker) {

  /// Formats with scale planes; those of ggml are a table of their own.
  private static final List<IntegerFormat> TABLE =
      List.of(
          int4(BlockFormat.INT4_B32),
          int4(BlockFormat.INT4_B64),
          int4(BlockFormat.INT4_B128),
          int4(BlockFormat.INT4_B256),
          new IntegerFormat(
              BlockFormat.INT8_C, Numerics.INT8_ASYM_ROW, 0, IntegerFormat::unpackInt8));

  /// Where the parts of an unpacked row lie.
  ///
  /// ```
  /// q: i8[inputs] | scale: f32[groups] | offset: f32[groups]
  /// ```
  ///
  /// @param inputs integers
  /// @param group integers that share a scale
  record Layout(int inputs, int group) {
    int groups() {
      return inputs / group;
    }

    /// Offset of the scales.
    long scales() {
      return Scratch.align(inputs);
    }

    /// Offset of the offsets.
    long offsets() {
      return scales() + 4L * groups();
    }

    long bytes() {
      return offsets() + 4L * groups();
    }
  }

  /// Unpacks a row of a matrix to `dst`; q, scale and offset are where the parts begin.
  @FunctionalInterface
  interface RowUnpacker {
    void unpack(WeightMatrix w, int row, MemorySegment dst, long q, long scale, long offset);
  }

  /// Unpacks the block at an offset of the data plane.
  @FunctionalInterface
  interface BlockUnpacker {
    void unpack(MemorySegment data, long block, MemorySegment dst, long q, long scale, long offset);
  }

  /// The format as integers, if it has them.
  static Optional<IntegerFormat> of(BlockFormat format) {
    return Stream.of(GgmlUnpackers.TABLE, TABLE)
        .flatMap(List::stream)
        .filter(f -> f.format.equals(format))
        .findFirst();
  }

  Layout layout(int inputs) {
    return new Layout(inputs, group == 0 ? inputs : group);
  }

  static IntegerFormat sym32(BlockFormat format, BlockUnpacker unpacker) {
    return new IntegerFormat(format, Numerics.INT8_SYM_32, 32, blockwise(format, 32, unpacker));
  }

  static IntegerFormat sym256(BlockFormat format, int group, BlockUnpacker unpacker) {
    return new IntegerFormat(
        format, Numerics.INT8_SYM_256, group, blockwise(format, group, unpacker));
  }

  private static IntegerFormat int4(BlockFormat format) {
    return new IntegerFormat(
        format, Numerics.INT8_ASYM_ROW, format.blockElements(), IntegerFormat::unpackInt4);
  }

  private static RowUnpacker blockwise(BlockFormat format, int group, BlockUnpacker unpacker) {
    long elements = format.blockElements();
    long scaleBytes = elements / group * Float.BYTES; // of one block
    return (w, row, dst, q, scale, offset) -> {
      int blocks = format.blocksPerRow(w.inputs());
      long block = (long) row * blocks * format.blockBytes();
      for (int b = 0; b < blocks; b++) {
        unpacker.unpack(
            w.data(),
            block + (long) b * format.blockBytes(),
            dst,
            q + b * elements,
            scale + b * scaleBytes,
            offset + b * scaleBytes);
      }
    };
  }

  /// INT4_Bg: byte j of a block holds elements 2j (low nibble) and 2j + 1, both plus 8; scales are
  /// BF16, one a block.
  private static void unpackInt4(
      WeightMatrix w, int row, MemorySegment dst, long q, long scale, long offset) {
    long bytes = w.format().rowBytes(w.inputs());
    for (long j = 0; j < bytes; j++) {
      int n = w.data().get(JAVA_BYTE, row * bytes + j) & 0xFF;
      dst.set(JAVA_BYTE, q + 2 * j, (byte) ((n & 15) - 8));
      dst.set(JAVA_BYTE, q + 2 * j + 1, (byte) ((n >>> 4) - 8));
    }
    int blocks = w.format().blocksPerRow(w.inputs());
    for (int b = 0; b < blocks; b++) {
      dst.set(JAVA_FLOAT, scale + 4L * b, Weights.bf16(w.scales(), 2 * ((long) row * blocks + b)));
      dst.set(JAVA_FLOAT, offset + 4L * b, 0f);
    }
  }

  /// INT8_C: integers as they are; scales are F32, one a row.
  private static void unpackInt8(
      WeightMatrix w, int row, MemorySegment dst, long q, long scale, long offset) {
    MemorySegment.copy(w.data(), (long) row * w.inputs(), dst, q, w.inputs());
    dst.set(JAVA_FLOAT, scale, Weights.f32(w.scales(), 4L * row));
    dst.set(JAVA_FLOAT, offset, 0f);
  }
}
