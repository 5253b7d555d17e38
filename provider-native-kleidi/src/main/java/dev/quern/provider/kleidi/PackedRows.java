package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.F32Matrix;
import dev.quern.provider.kleidi.KleidiAi.LhsPacker;
import dev.quern.provider.kleidi.KleidiAi.MicroKernel;
import dev.quern.provider.kleidi.KleidiAi.PackedLayout;
import dev.quern.provider.kleidi.KleidiAi.Rows;
import java.lang.foreign.MemorySegment;

/// Rows of x, rounded and packed for one micro-kernel, or as they are for one that takes them so,
/// and what KleidiAI leaves out:
///
/// - where it rounds to int8 it drops NaN and turns an infinity into a row of zeros, where
///   SPEC.md's L10 wants NaN; and some kernels' clamps make numbers of NaN;
/// - it rounds the scales of `int8-sym-32-f16` to F16 as they are, where a row of large or of small
///   elements leaves the range of F16. Such a row gets scales that are divided by a power of two.
///
/// Both become a factor that the row's results are multiplied with, NaN or the power of two; it is
/// 1 for all others. Layout in scratch memory:
///
/// ```
/// tiles of mr rows (RowPacking), spare bytes | factor: f32[rows]
/// if the packing is dense: x without gaps, f32[rows][inputs]
/// ```
///
/// @param pair whose rows
/// @param u the micro-kernel
/// @param inputs of a row
/// @param layout of packed rows
/// @param tileBytes bytes of mr packed rows
record PackedRows(KernelPair pair, MicroKernel u, int inputs, PackedLayout layout, long tileBytes) {

  /// The range that the largest scale of a row may have: below, F16 is subnormal and loses bits.
  private static final float MIN_SCALE = 0x1p-14f;

  private static final float MAX_SCALE = 0x1p15f;

  static PackedRows of(KernelPair pair, MicroKernel u, int inputs) {
    PackedLayout layout = new PackedLayout(inputs, RowPacking.BLOCK, u.tiling());
    long tileBytes = u.lhs().map(p -> p.packedSize(u.tiling().mr(), layout)).orElse(0L);
    return new PackedRows(pair, u, inputs, layout, tileBytes);
  }

  /// How many tiles hold so many rows.
  int tiles(int rows) {
    return Math.toIntExact(Math.ceilDiv((long) rows, u.tiling().mr()));
  }

  /// Bytes of scratch.
  long bytes(int rows) {
    return denseAt(rows) + (packing().dense() ? rows * denseStrideBytes() : 0);
  }

  private RowPacking packing() {
    return pair.row().lhs();
  }

  private long denseAt(int rows) {
    return factorsAt(rows) + Split.align((long) rows * Float.BYTES);
  }

  private long denseStrideBytes() {
    return (long) inputs * Float.BYTES;
  }

  private long factorsAt(int rows) {
    return Split.align(tiles(rows) * tileBytes + KleidiAi.SPARE_BYTES);
  }

  /// What the results of a row are to be multiplied with.
  float factor(MemorySegment scratch, int rows, int row) {
    return scratch.get(JAVA_FLOAT, factorsAt(rows) + 4L * row);
  }

  /// What the kernel reads.
  Rows rows(F32Matrix x, MemorySegment scratch) {
    return u.lhs().isPresent()
        ? new Rows(scratch, 0, x.rows(), 0)
        : new Rows(
            x.data(), x.offsetBytes(0, 0), x.rows(), (long) Float.BYTES * x.rowStrideFloats());
  }

  /// Packs the rows of tiles begin (inclusive) to end (exclusive), at the start of scratch.
  void pack(F32Matrix x, int begin, int end, MemorySegment scratch) {
    int from = Math.toIntExact(begin * u.tiling().mr());
    int to = (int) Math.min(x.rows(), end * u.tiling().mr());
    if (u.lhs().isPresent()) {
      pack(u.lhs().get(), x, from, to, scratch, begin * tileBytes);
    }
    for (int row = from; row < to; row++) {
      scratch.set(JAVA_FLOAT, factorsAt(x.rows()) + 4L * row, checked(x, row, scratch));
    }
  }

  /// Packs rows from (inclusive) to to (exclusive).
  private void pack(
      LhsPacker packer, F32Matrix x, int from, int to, MemorySegment scratch, long packedAt) {
    boolean gaps = x.rowStrideFloats() != inputs && to - from > 1;
    boolean copy = gaps && packing().dense();
    long copyAt = denseAt(x.rows()) + from * denseStrideBytes();
    if (copy) {
      for (int row = from; row < to; row++) {
        long rowAt = copyAt + (row - from) * denseStrideBytes();
        MemorySegment.copy(x.data(), x.offsetBytes(row, 0), scratch, rowAt, denseStrideBytes());
      }
    }
    packer.pack(
        to - from,
        layout,
        copy ? scratch : x.data(),
        copy ? copyAt : x.offsetBytes(from, 0),
        copy ? denseStrideBytes() : (long) x.rowStrideFloats() * Float.BYTES,
        scratch,
        packedAt);
  }

  /// The factor of a packed row, whose scales it may change.
  private float checked(F32Matrix x, int row, MemorySegment scratch) {
    float max = max(x.data(), x.offsetBytes(row, 0), inputs);
    if (!Float.isFinite(max)) {
      return Float.NaN;
    }
    float largest = max / 127;
    if (!packing().blocks() || largest >= MIN_SCALE && largest <= MAX_SCALE || scale(max) == 0) {
      return 1;
    }
    int exponent = Math.getExponent(largest);
    long mr = u.tiling().mr();
    long tile = row / mr * tileBytes;
    for (int b = 0; b < inputs / RowPacking.BLOCK; b++) {
      float d = scale(max(x.data(), x.offsetBytes(row, b * RowPacking.BLOCK), RowPacking.BLOCK));
      scratch.set(
          JAVA_SHORT,
          tile + packing().scaleAt(row % mr, b, mr, inputs),
          Float.floatToFloat16(Math.scalb(d, -exponent)));
    }
    return Math.scalb(1f, exponent);
  }

  /// The scale of a block by rule L6: 0 where its reciprocal is not a number.
  private static float scale(float max) {
    float d = max / 127;
    return Float.isInfinite(1 / d) ? 0 : d;
  }

  /// The largest magnitude, infinite or NaN if any element is. Magnitudes are ordered as their bits
  /// are, NaN last; C2 makes vector code of the maximum of ints.
  private static float max(MemorySegment x, long at, int n) {
    int max = 0;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, x.get(JAVA_INT, at + 4L * i) & 0x7FFF_FFFF);
    }
    return Float.intBitsToFloat(max);
  }
}
