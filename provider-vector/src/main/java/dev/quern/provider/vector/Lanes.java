package dev.quern.provider.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vectors that all kernels use: [#L] lanes of 32 bits, and loads that widen to them.
///
/// Species and shuffles are static finals, which C2 takes for constants: one that is made in a
/// method, or read from an array, costs an allocation and the intrinsic.
final class Lanes {
  /// Wider ones exist on paper only, and the tables of tiles and shuffles end here.
  private static final int MAX_BITS = 512;

  private static final int BITS = Math.min(MAX_BITS, VectorShape.preferredShape().vectorBitSize());

  static final VectorSpecies<Float> F = VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
  static final VectorSpecies<Integer> I = F.withLanes(int.class);

  /// Lanes of a vector of floats: 4, 8 or 16.
  static final int L = F.length();

  /// Bytes of a vector of floats.
  static final long BYTES = 4L * L;

  /// L shorts.
  static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));

  /// L bytes; not used where L is 4, since there are no vectors of 32 bits.
  static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, BITS / 4)));

  /// Parts of a block: 32 bytes, or half of it.
  static final VectorSpecies<Byte> B_PART =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.min(256, BITS)));

  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);

  /// The lanes' own numbers: 0, 1, 2, ...
  private static final IntVector LANE = IntVector.zero(I).addIndex(1);

  static final ValueLayout.OfShort F16 = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  static final ValueLayout.OfFloat F32 = JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private Lanes() {}

  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, lane -> (lane ^ distance) & F.length() - 1);
  }

  /// The largest multiple of L that is not above n.
  static int whole(int n) {
    return n & -L;
  }

  /// The sum of L floats, in one order everywhere. `reduceLanes` adds in another order when it is
  /// compiled than when it is interpreted, so results would change while a program runs.
  static float sum(MemorySegment data, long at) {
    FloatVector v = FloatVector.fromMemorySegment(F, data, at, LITTLE_ENDIAN);
    if (L >= 16) {
      v = v.add(v.rearrange(SWAP_8));
    }
    if (L >= 8) {
      v = v.add(v.rearrange(SWAP_4));
    }
    v = v.add(v.rearrange(SWAP_2));
    return v.add(v.rearrange(SWAP_1)).lane(0);
  }

  /// L floats.
  static FloatVector f32(MemorySegment data, long at) {
    return FloatVector.fromMemorySegment(F, data, at, LITTLE_ENDIAN);
  }

  static void store(FloatVector v, MemorySegment data, long at) {
    v.intoMemorySegment(data, at, LITTLE_ENDIAN);
  }

  /// L binary16 numbers, exactly: the exponent is rebased by a multiplication, which also makes
  /// subnormals normal. What had the largest exponent, infinities and NaN, comes out at 2^16 or
  /// above and gets the largest exponent back.
  static FloatVector f16(MemorySegment data, long at) {
    IntVector bits = shorts(data, at);
    FloatVector v = bits.lanewise(LSHL, 13).and(0x8FFF_E000).reinterpretAsFloats().mul(0x1p112f);
    FloatVector special = v.reinterpretAsInts().or(0x7F80_0000).reinterpretAsFloats();
    return v.blend(special, v.abs().compare(GE, 0x1p16f));
  }

  /// L bfloat16 numbers.
  static FloatVector bf16(MemorySegment data, long at) {
    return shorts(data, at).lanewise(LSHL, 16).reinterpretAsFloats();
  }

  private static IntVector shorts(MemorySegment data, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(S, data, at, LITTLE_ENDIAN).convertShape(S2I, I, 0);
  }

  /// L unsigned bytes.
  static IntVector u8(MemorySegment data, long at) {
    return (IntVector) bytes(data, at).convertShape(ZERO_EXTEND_B2I, I, 0);
  }

  /// L signed bytes as floats.
  static FloatVector i8ToFloat(MemorySegment data, long at) {
    return (FloatVector) bytes(data, at).convertShape(B2F, F, 0);
  }

  /// At least L bytes, of which the first L count.
  private static ByteVector bytes(MemorySegment data, long at) {
    return L == 4
        ? IntVector.broadcast(I, data.get(I32, at)).reinterpretAsBytes()
        : ByteVector.fromMemorySegment(B, data, at, LITTLE_ENDIAN);
  }

  /// Bit l of an int, in lane l: 0 or 1.
  static IntVector bits(int bits) {
    return IntVector.broadcast(I, bits).lanewise(LSHR, LANE).and(1);
  }

  static FloatVector toFloat(IntVector v) {
    return (FloatVector) v.convert(I2F, 0);
  }

  static float scalarF32(MemorySegment data, long at) {
    return data.get(F32, at);
  }

  static float scalarF16(MemorySegment data, long at) {
    return Float.float16ToFloat(data.get(F16, at));
  }

  static float scalarBf16(MemorySegment data, long at) {
    return Float.intBitsToFloat(data.get(F16, at) << 16);
  }

  static int scalarI32(MemorySegment data, long at) {
    return data.get(I32, at);
  }
}
