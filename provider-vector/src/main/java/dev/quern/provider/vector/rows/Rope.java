package dev.quern.provider.vector.rows;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// `a' = a*cos - b*sin`, `b' = a*sin + b*cos`, in place. Pairs of halves are two vectors; adjacent
/// pairs are one, with its neighbours swapped and every angle twice:
///
/// ```
/// x            a0  b0  a1  b1       swapped      b0  a0  b1  a1
/// cosines      c0  c0  c1  c1       sines       -s0  s0 -s1  s1
/// ```
public record Rope(RopeSpec spec) implements RopeKernel {
  private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(F, l -> l ^ 1);
  private static final VectorShuffle<Float> LOWER = VectorShuffle.fromOp(F, l -> l / 2);
  private static final VectorShuffle<Float> UPPER =
      VectorShuffle.fromOp(F, l -> F.length() / 2 + l / 2);

  private static final VectorMask<Float> EVEN =
      VectorMask.fromLong(F, 0x5555_5555L & (1L << F.length()) - 1);

  /// -1, 1, -1, 1, ...
  private static final FloatVector SIGNS = FloatVector.broadcast(F, 1f).blend(-1f, EVEN);

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    boolean adjacent = spec.pairing() == RopePairing.ADJACENT;
    Split.run(
        x.rows(),
        w.workers(),
        (begin, end, _) -> {
          for (int r = (int) begin; r < end; r++) {
            long angles = table.offsetBytes(firstPosition + r, 0);
            for (int head = 0; head < spec.heads(); head++) {
              long at = x.offsetBytes(r, head * spec.headDim());
              if (adjacent) {
                adjacent(x.data(), at, table.data(), angles);
              } else {
                halves(x.data(), at, table.data(), angles);
              }
            }
          }
        });
  }

  private void adjacent(MemorySegment x, long at, MemorySegment table, long cosines) {
    int pairs = spec.headDim() / 2;
    long sines = cosines + 4L * pairs;
    int whole = Lanes.whole(pairs);
    for (int j = 0; j < whole; j += L) {
      long first = at + 8L * j;
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, first, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(F, x, first + Lanes.BYTES, LITTLE_ENDIAN);
      FloatVector cos = FloatVector.fromMemorySegment(F, table, cosines + 4L * j, LITTLE_ENDIAN);
      FloatVector sin = FloatVector.fromMemorySegment(F, table, sines + 4L * j, LITTLE_ENDIAN);
      FloatVector y0 = x0.rearrange(SWAP).mul(SIGNS).mul(sin.rearrange(LOWER));
      FloatVector y1 = x1.rearrange(SWAP).mul(SIGNS).mul(sin.rearrange(UPPER));
      x0.fma(cos.rearrange(LOWER), y0).intoMemorySegment(x, first, LITTLE_ENDIAN);
      x1.fma(cos.rearrange(UPPER), y1).intoMemorySegment(x, first + Lanes.BYTES, LITTLE_ENDIAN);
    }
    for (int j = whole; j < pairs; j++) {
      rotate(x, at + 8L * j, at + 8L * j + 4, table, cosines + 4L * j, sines + 4L * j);
    }
  }

  private void halves(MemorySegment x, long at, MemorySegment table, long cosines) {
    int pairs = spec.headDim() / 2;
    long sines = cosines + 4L * pairs;
    long second = at + 4L * pairs;
    int whole = Lanes.whole(pairs);
    for (int j = 0; j < whole; j += L) {
      FloatVector a = FloatVector.fromMemorySegment(F, x, at + 4L * j, LITTLE_ENDIAN);
      FloatVector b = FloatVector.fromMemorySegment(F, x, second + 4L * j, LITTLE_ENDIAN);
      FloatVector cos = FloatVector.fromMemorySegment(F, table, cosines + 4L * j, LITTLE_ENDIAN);
      FloatVector sin = FloatVector.fromMemorySegment(F, table, sines + 4L * j, LITTLE_ENDIAN);
      a.fma(cos, b.mul(sin).neg()).intoMemorySegment(x, at + 4L * j, LITTLE_ENDIAN);
      a.fma(sin, b.mul(cos)).intoMemorySegment(x, second + 4L * j, LITTLE_ENDIAN);
    }
    for (int j = whole; j < pairs; j++) {
      rotate(x, at + 4L * j, second + 4L * j, table, cosines + 4L * j, sines + 4L * j);
    }
  }

  private static void rotate(
      MemorySegment x, long aAt, long bAt, MemorySegment table, long cosAt, long sinAt) {
    float a = x.get(JAVA_FLOAT, aAt);
    float b = x.get(JAVA_FLOAT, bAt);
    float cos = table.get(JAVA_FLOAT, cosAt);
    float sin = table.get(JAVA_FLOAT, sinAt);
    x.set(JAVA_FLOAT, aAt, a * cos - b * sin);
    x.set(JAVA_FLOAT, bAt, a * sin + b * cos);
  }
}
