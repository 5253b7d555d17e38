package dev.quern.provider.vector.rows;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// `y = x / sqrt(mean(x²) + epsilon) * weight`, with the sum of squares in F32, group by group of
/// each row. Scratch of each worker: the lanes of that sum.
public record RmsNorm(RmsNormSpec spec) implements RmsNormKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return (long) parallelism * Split.LINE;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    Split.run(
        x.rows(),
        w.workers(),
        (begin, end, worker) -> {
          for (int r = (int) begin; r < end; r++) {
            row(x, weight, y, r, w.scratch(), (long) worker * Split.LINE);
          }
        });
  }

  private void row(
      F32Matrix x, F32Matrix weight, F32Matrix y, int row, MemorySegment scratch, long scratchAt) {
    for (int col = 0; col < spec.width(); col += spec.groupWidth()) {
      long at = x.offsetBytes(row, col);
      float scale = factor(squares(x.data(), at, scratch, scratchAt));
      scale(x.data(), at, scale, weight.data(), y.data(), y.offsetBytes(row, col));
    }
  }

  /// A non-finite element makes its whole group NaN (rule N2), and not zero where it is infinite.
  private float factor(float squares) {
    return Float.isFinite(squares)
        ? (float) (1 / Math.sqrt((double) squares / spec.groupWidth() + spec.epsilon()))
        : Float.NaN;
  }

  private float squares(MemorySegment input, long at, MemorySegment worker, long scratchAt) {
    MemorySegment x = Lanes.OFF_HEAP.cast(input);
    MemorySegment scratch = Lanes.OFF_HEAP.cast(worker);
    FloatVector sums = FloatVector.zero(F);
    int whole = Lanes.whole(spec.groupWidth());
    for (int i = 0; i < whole; i += L) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN);
      sums = v.fma(v, sums);
    }
    sums.intoMemorySegment(scratch, scratchAt, LITTLE_ENDIAN);
    float sum = Lanes.sum(scratch, scratchAt);
    for (int i = whole; i < spec.groupWidth(); i++) {
      float v = x.get(F32, at + 4L * i);
      sum += v * v;
    }
    return sum;
  }

  private void scale(
      MemorySegment input,
      long at,
      float scale,
      MemorySegment factors,
      MemorySegment output,
      long to) {
    MemorySegment x = Lanes.OFF_HEAP.cast(input);
    MemorySegment weight = Lanes.OFF_HEAP.cast(factors);
    MemorySegment y = Lanes.OFF_HEAP.cast(output);
    int whole = Lanes.whole(spec.groupWidth());
    for (int i = 0; i < whole; i += L) {
      FloatVector v =
          FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN)
              .mul(scale)
              .mul(FloatVector.fromMemorySegment(F, weight, 4L * i, LITTLE_ENDIAN));
      v.intoMemorySegment(y, to + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < spec.groupWidth(); i++) {
      float v = x.get(F32, at + 4L * i) * scale * weight.get(F32, 4L * i);
      y.set(F32, to + 4L * i, v);
    }
  }
}
