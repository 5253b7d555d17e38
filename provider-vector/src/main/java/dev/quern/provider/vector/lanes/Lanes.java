package dev.quern.provider.vector.lanes;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vectors that all kernels use: [#L] lanes of 32 bits, and loads that widen to them.
///
/// Species and shuffles are static finals, which C2 takes for constants: one that is made in a
/// method, or read from an array, costs an allocation and the intrinsic.
///
/// **What a loop carries is an argument of its operations, not the receiver:** `sum = p.add(sum)`,
/// not `sum = sum.add(p)`. C2 knows the class of `p`, which comes out of an intrinsic; that of
/// `sum`, which meets itself at the loop's head, it knows from the profile alone. Where that is
/// missing (compiled early) or mixed (other species used elsewhere), `sum.add` stays a call, and
/// every vector around it is boxed.
public final class Lanes {
  /// Wider ones exist on paper only, and the tables of tiles and shuffles end here.
  private static final int MAX_BITS = 512;

  private static final int BITS = Math.min(MAX_BITS, VectorShape.preferredShape().vectorBitSize());

  public static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
  public static final VectorSpecies<Integer> I = F.withLanes(int.class);

  /// Lanes of a vector of floats: 4, 8 or 16.
  public static final int L = F.length();

  /// Bytes of a vector of floats.
  public static final long BYTES = 4L * L;

  /// L shorts.
  public static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));

  /// L bytes, and 8 where L is 4, since there are no vectors of 32 bits.
  public static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, BITS / 4)));

  /// Parts of a block: 32 bytes, or half of it.
  public static final VectorSpecies<Byte> B_PART =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.min(256, BITS)));

  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);

  /// Little-endian numbers at any address; binary16 and bfloat16 are read as shorts.
  public static final ValueLayout.OfShort I16 = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  public static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  public static final ValueLayout.OfLong I64 = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  public static final ValueLayout.OfFloat F32 = JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /// `OFF_HEAP.cast(s)` is the segment, of which C2 now knows that it is off-heap (SPEC.md, P15).
  /// Otherwise it believes the profile, in which every reinterpretation of a vector that ran before
  /// it was compiled has left an array, and a loop that stores checks every access anew. No method
  /// does the cast: before a loop, it would be too rare a call for C2 to inline.
  public static final Class<? extends MemorySegment> OFF_HEAP = MemorySegment.NULL.getClass();

  private Lanes() {}

  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, lane -> (lane ^ distance) & F.length() - 1);
  }

  /// The largest multiple of L that is not above n.
  public static int whole(int n) {
    return n & -L;
  }

  /// The sum of L floats, in one order everywhere. `reduceLanes` adds in another order when it is
  /// compiled than when it is interpreted, so results would change while a program runs.
  public static float sum(MemorySegment data, long at) {
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

  public static float scalarF32(MemorySegment data, long at) {
    return data.get(F32, at);
  }

  public static float scalarF16(MemorySegment data, long at) {
    return Float.float16ToFloat(data.get(I16, at));
  }

  public static float scalarBf16(MemorySegment data, long at) {
    return Float.intBitsToFloat(data.get(I16, at) << 16);
  }
}
