package dev.quern.provider.vector.rows;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// `a' = a*cos - b*sin`, `b' = a*sin + b*cos`, in place. Pairs of halves are two vectors; adjacent
/// pairs are one, with its neighbours swapped. Its angles lie spread in scratch, made once for all
/// heads of a row:
///
/// ```
/// x            a0  b0  a1  b1       swapped      b0  a0  b1  a1
/// cosines      c0  c0  c1  c1       sines       -s0  s0 -s1  s1
/// ```
public record Rope(RopeSpec spec) implements RopeKernel {
  private static final VectorSpecies<Long> J = F.withLanes(long.class);

  private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(F, l -> l ^ 1);

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return spec.pairing() == RopePairing.ADJACENT ? parallelism * anglesBytes() : 0;
  }

  /// Bytes of a row's spread cosines and sines.
  private long anglesBytes() {
    return Split.align(8L * spec.headDim());
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    boolean adjacent = spec.pairing() == RopePairing.ADJACENT;
    Split.run(
        x.rows(),
        w.workers(),
        (begin, end, worker) -> {
          for (int r = (int) begin; r < end; r++) {
            long angles = table.offsetBytes(firstPosition + r, 0);
            long spread = worker * anglesBytes();
            if (adjacent) {
              spread(table.data(), angles, w.scratch(), spread);
            }
            for (int head = 0; head < spec.heads(); head++) {
              long at = x.offsetBytes(r, head * spec.headDim());
              if (adjacent) {
                adjacent(x.data(), at, w.scratch(), spread);
              } else {
                halves(x.data(), at, table.data(), angles);
              }
            }
          }
        });
  }

  /// Writes every cosine of a row twice, then every sine, first with its sign turned.
  private void spread(MemorySegment rows, long from, MemorySegment scratch, long to) {
    MemorySegment table = Lanes.OFF_HEAP.cast(rows);
    MemorySegment spread = Lanes.OFF_HEAP.cast(scratch);
    int pairs = spec.headDim() / 2;
    long sines = to + 8L * pairs;
    for (int j = 0; j < pairs; j++) {
      float cos = table.get(F32, from + 4L * j);
      float sin = table.get(F32, from + 4L * (pairs + j));
      spread.set(F32, to + 8L * j, cos);
      spread.set(F32, to + 8L * j + 4, cos);
      spread.set(F32, sines + 8L * j, -sin);
      spread.set(F32, sines + 8L * j + 4, sin);
    }
  }

  private void adjacent(MemorySegment x, long at, MemorySegment scratch, long cosines) {
    MemorySegment rows = Lanes.OFF_HEAP.cast(x);
    MemorySegment angles = Lanes.OFF_HEAP.cast(scratch);
    int headDim = spec.headDim();
    long sines = cosines + 4L * headDim;
    int whole = Lanes.whole(headDim);
    for (int i = 0; i < whole; i += L) {
      FloatVector v = FloatVector.fromMemorySegment(F, rows, at + 4L * i, LITTLE_ENDIAN);
      FloatVector cos = FloatVector.fromMemorySegment(F, angles, cosines + 4L * i, LITTLE_ENDIAN);
      FloatVector sin = FloatVector.fromMemorySegment(F, angles, sines + 4L * i, LITTLE_ENDIAN);
      FloatVector swapped;
      if (L == 4) { // where it is NEON, a shuffle is seven instructions
        LongVector pairs = LongVector.fromMemorySegment(J, rows, at + 4L * i, LITTLE_ENDIAN);
        swapped = pairs.lanewise(LSHL, 32).or(pairs.lanewise(LSHR, 32)).reinterpretAsFloats();
      } else {
        swapped = v.rearrange(SWAP);
      }
      v.fma(cos, swapped.mul(sin)).intoMemorySegment(rows, at + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < headDim; i += 2) {
      rotate(x, at + 4L * i, at + 4L * i + 4, scratch, cosines + 4L * i, sines + 4L * i + 4);
    }
  }

  private void halves(MemorySegment rows, long at, MemorySegment angles, long cosines) {
    MemorySegment x = Lanes.OFF_HEAP.cast(rows);
    MemorySegment table = Lanes.OFF_HEAP.cast(angles);
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
    float a = x.get(F32, aAt);
    float b = x.get(F32, bAt);
    float cos = table.get(F32, cosAt);
    float sin = table.get(F32, sinAt);
    x.set(F32, aAt, a * cos - b * sin);
    x.set(F32, bAt, a * sin + b * cos);
  }
}
