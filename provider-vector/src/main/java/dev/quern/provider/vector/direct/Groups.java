package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.B2F;

import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

/// Weights of the block formats, taken apart: what all of them come to before they are multiplied
/// or decoded. A part of a row, at most [#MAX] weights, is
///
/// ```
/// q: i8[MAX] | scales: f32[MAX / 16] | offsets: f32[MAX / 16] | room: u8[MAX / 8]
/// w[i] = scales[i / 16] * q[i] + offsets[i / 16]
/// ```
///
/// Formats without offsets leave theirs out, those with larger groups repeat a scale, and the room
/// is for a format's own use.
///
/// Each method here and in the formats is a plain loop that calls the Vector API itself. Past a
/// number of nodes C2 inlines no more helpers of ours and boxes their arguments, but still the
/// API's methods, which are marked to be inlined always; and how many nodes there are depends on
/// what else was inlined into the same compilation, so it differs from run to run. All offsets are
/// linear in the loop's variable: then C2 checks bounds once before the loop and not at each
/// access.
final class Groups {
  /// Weights: as many as fit into the first-level cache beside those of another row and their x. A
  /// multiple of every block.
  static final int MAX = 2048;

  /// Weights of a group.
  static final int GROUP = 16;

  /// Offset of the scales.
  static final long SCALES = MAX;

  /// Offset of the offsets.
  static final long OFFSETS = SCALES + 4 * (MAX / GROUP);

  /// Offset of the room.
  static final long ROOM = OFFSETS + 4 * (MAX / GROUP);

  /// All in all, in whole lines: with one more, since vectors of 8 bytes are read where 4 count.
  static final long BYTES = ROOM + MAX / 8 + Split.LINE;

  /// Bytes of the sums of two rows, in whole lines.
  static final long SUMS = Split.align(2 * Lanes.BYTES);

  private Groups() {}

  /// Sets the sums of two rows to zero.
  static void clear(MemorySegment g, long at) {
    FloatVector.zero(F).intoMemorySegment(g, at, LITTLE_ENDIAN);
    FloatVector.zero(F).intoMemorySegment(g, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  /// Multiplies two rows without offsets by x and adds the products to the sums.
  ///
  /// @param g two parts of rows, of n weights each, at `at0` and `at1`
  /// @param n a multiple of 16
  /// @param x their floats, at `xAt`
  /// @param at offset of the sums, `[2][L]`, in g
  static void dot(MemorySegment g, long at0, long at1, int n, MemorySegment x, long xAt, long at) {
    FloatVector a0 = FloatVector.fromMemorySegment(F, g, at, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, g, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n / GROUP; i++) {
      FloatVector s0 = FloatVector.broadcast(F, g.get(F32, at0 + SCALES + 4L * i));
      FloatVector s1 = FloatVector.broadcast(F, g.get(F32, at1 + SCALES + 4L * i));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i, LITTLE_ENDIAN);
      ByteVector b00 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i, LITTLE_ENDIAN);
      ByteVector b10 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i, LITTLE_ENDIAN);
      FloatVector p0 = ((FloatVector) b00.convertShape(B2F, F, 0)).mul(x0);
      FloatVector p1 = ((FloatVector) b10.convertShape(B2F, F, 0)).mul(x0);
      if (L <= 8) {
        FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 4 * L, LITTLE_ENDIAN);
        ByteVector b01 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + L, LITTLE_ENDIAN);
        ByteVector b11 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + L, LITTLE_ENDIAN);
        p0 = ((FloatVector) b01.convertShape(B2F, F, 0)).fma(x1, p0);
        p1 = ((FloatVector) b11.convertShape(B2F, F, 0)).fma(x1, p1);
      }
      if (L == 4) {
        FloatVector x2 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b02 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + 2 * L, LITTLE_ENDIAN);
        ByteVector b12 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + 2 * L, LITTLE_ENDIAN);
        p0 = ((FloatVector) b02.convertShape(B2F, F, 0)).fma(x2, p0);
        p1 = ((FloatVector) b12.convertShape(B2F, F, 0)).fma(x2, p1);
        FloatVector x3 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 12 * L, LITTLE_ENDIAN);
        ByteVector b03 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + 3 * L, LITTLE_ENDIAN);
        ByteVector b13 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + 3 * L, LITTLE_ENDIAN);
        p0 = ((FloatVector) b03.convertShape(B2F, F, 0)).fma(x3, p0);
        p1 = ((FloatVector) b13.convertShape(B2F, F, 0)).fma(x3, p1);
      }
      a0 = p0.fma(s0, a0);
      a1 = p1.fma(s1, a1);
    }
    a0.intoMemorySegment(g, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(g, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  /// As [#dot], with offsets.
  static void dotWithOffsets(
      MemorySegment g, long at0, long at1, int n, MemorySegment x, long xAt, long at) {
    FloatVector a0 = FloatVector.fromMemorySegment(F, g, at, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, g, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n / GROUP; i++) {
      FloatVector s0 = FloatVector.broadcast(F, g.get(F32, at0 + SCALES + 4L * i));
      FloatVector s1 = FloatVector.broadcast(F, g.get(F32, at1 + SCALES + 4L * i));
      FloatVector m0 = FloatVector.broadcast(F, g.get(F32, at0 + OFFSETS + 4L * i));
      FloatVector m1 = FloatVector.broadcast(F, g.get(F32, at1 + OFFSETS + 4L * i));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i, LITTLE_ENDIAN);
      ByteVector b00 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i, LITTLE_ENDIAN);
      ByteVector b10 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i, LITTLE_ENDIAN);
      a0 = ((FloatVector) b00.convertShape(B2F, F, 0)).fma(s0, m0).fma(x0, a0);
      a1 = ((FloatVector) b10.convertShape(B2F, F, 0)).fma(s1, m1).fma(x0, a1);
      if (L <= 8) {
        FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 4 * L, LITTLE_ENDIAN);
        ByteVector b01 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + L, LITTLE_ENDIAN);
        ByteVector b11 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + L, LITTLE_ENDIAN);
        a0 = ((FloatVector) b01.convertShape(B2F, F, 0)).fma(s0, m0).fma(x1, a0);
        a1 = ((FloatVector) b11.convertShape(B2F, F, 0)).fma(s1, m1).fma(x1, a1);
      }
      if (L == 4) {
        FloatVector x2 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b02 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + 2 * L, LITTLE_ENDIAN);
        ByteVector b12 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + 2 * L, LITTLE_ENDIAN);
        a0 = ((FloatVector) b02.convertShape(B2F, F, 0)).fma(s0, m0).fma(x2, a0);
        a1 = ((FloatVector) b12.convertShape(B2F, F, 0)).fma(s1, m1).fma(x2, a1);
        FloatVector x3 = FloatVector.fromMemorySegment(F, x, xAt + 64L * i + 12 * L, LITTLE_ENDIAN);
        ByteVector b03 = ByteVector.fromMemorySegment(B, g, at0 + 16L * i + 3 * L, LITTLE_ENDIAN);
        ByteVector b13 = ByteVector.fromMemorySegment(B, g, at1 + 16L * i + 3 * L, LITTLE_ENDIAN);
        a0 = ((FloatVector) b03.convertShape(B2F, F, 0)).fma(s0, m0).fma(x3, a0);
        a1 = ((FloatVector) b13.convertShape(B2F, F, 0)).fma(s1, m1).fma(x3, a1);
      }
    }
    a0.intoMemorySegment(g, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(g, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  /// Decodes a part of a row without offsets.
  static void decode(MemorySegment g, long at, int n, MemorySegment dst, long to) {
    for (int i = 0; i < n / GROUP; i++) {
      FloatVector s = FloatVector.broadcast(F, g.get(F32, at + SCALES + 4L * i));
      ByteVector b0 = ByteVector.fromMemorySegment(B, g, at + 16L * i, LITTLE_ENDIAN);
      FloatVector w0 = ((FloatVector) b0.convertShape(B2F, F, 0)).mul(s);
      w0.intoMemorySegment(dst, to + 64L * i, LITTLE_ENDIAN);
      if (L <= 8) {
        ByteVector b1 = ByteVector.fromMemorySegment(B, g, at + 16L * i + L, LITTLE_ENDIAN);
        FloatVector w1 = ((FloatVector) b1.convertShape(B2F, F, 0)).mul(s);
        w1.intoMemorySegment(dst, to + 64L * i + 4 * L, LITTLE_ENDIAN);
      }
      if (L == 4) {
        ByteVector b2 = ByteVector.fromMemorySegment(B, g, at + 16L * i + 2 * L, LITTLE_ENDIAN);
        FloatVector w2 = ((FloatVector) b2.convertShape(B2F, F, 0)).mul(s);
        w2.intoMemorySegment(dst, to + 64L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b3 = ByteVector.fromMemorySegment(B, g, at + 16L * i + 3 * L, LITTLE_ENDIAN);
        FloatVector w3 = ((FloatVector) b3.convertShape(B2F, F, 0)).mul(s);
        w3.intoMemorySegment(dst, to + 64L * i + 12 * L, LITTLE_ENDIAN);
      }
    }
  }

  /// As [#decode], with offsets. The product of scale and integer has at most 21 bits in all
  /// formats, so that it does not round: a fused operation changes nothing.
  static void decodeWithOffsets(MemorySegment g, long at, int n, MemorySegment dst, long to) {
    for (int i = 0; i < n / GROUP; i++) {
      FloatVector s = FloatVector.broadcast(F, g.get(F32, at + SCALES + 4L * i));
      FloatVector m = FloatVector.broadcast(F, g.get(F32, at + OFFSETS + 4L * i));
      ByteVector b0 = ByteVector.fromMemorySegment(B, g, at + 16L * i, LITTLE_ENDIAN);
      FloatVector w0 = ((FloatVector) b0.convertShape(B2F, F, 0)).fma(s, m);
      w0.intoMemorySegment(dst, to + 64L * i, LITTLE_ENDIAN);
      if (L <= 8) {
        ByteVector b1 = ByteVector.fromMemorySegment(B, g, at + 16L * i + L, LITTLE_ENDIAN);
        FloatVector w1 = ((FloatVector) b1.convertShape(B2F, F, 0)).fma(s, m);
        w1.intoMemorySegment(dst, to + 64L * i + 4 * L, LITTLE_ENDIAN);
      }
      if (L == 4) {
        ByteVector b2 = ByteVector.fromMemorySegment(B, g, at + 16L * i + 2 * L, LITTLE_ENDIAN);
        FloatVector w2 = ((FloatVector) b2.convertShape(B2F, F, 0)).fma(s, m);
        w2.intoMemorySegment(dst, to + 64L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b3 = ByteVector.fromMemorySegment(B, g, at + 16L * i + 3 * L, LITTLE_ENDIAN);
        FloatVector w3 = ((FloatVector) b3.convertShape(B2F, F, 0)).fma(s, m);
        w3.intoMemorySegment(dst, to + 64L * i + 12 * L, LITTLE_ENDIAN);
      }
    }
  }
}
