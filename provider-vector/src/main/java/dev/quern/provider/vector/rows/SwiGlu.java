package dev.quern.provider.vector.rows;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Activation;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.vector.lanes.Exp;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// `y = gate / (1 + exp(-z)) * up`, with z the gate itself (SiLU) or `2 * sqrt(2/π) * (gate +
/// 0.044715 * gate³)`: GELU, by `(1 + tanh(z / 2)) / 2 = 1 / (1 + exp(-z))`, which keeps the digits
/// that the sum with tanh loses. Where exp overflows, the quotient is a zero, as it should be. Rows
/// are cut into parts, so that one row has work for many workers. Scratch of each worker: exp(-z)
/// of a part.
public record SwiGlu(SwiGluSpec spec) implements SwiGluKernel {
  private static final double TWICE_ROOT_2_BY_PI = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  /// Columns of a part.
  private static final int PART = 2048;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * 4L * PART;
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    int parts = Math.ceilDiv(spec.width(), PART);
    long items = (long) gate.rows() * parts;
    Split.run(
        items,
        w.workers(),
        (begin, end, worker) -> {
          for (long i = begin; i < end; i++) {
            int row = (int) (i / parts);
            int col = (int) (i % parts) * PART;
            part(gate, up, y, row, col, w.scratch(), worker * 4L * PART);
          }
        });
  }

  /// The part of a row that begins at a column.
  private void part(
      F32Matrix gate, F32Matrix up, F32Matrix y, int row, int col, MemorySegment scratch, long at) {
    MemorySegment exps = Lanes.OFF_HEAP.cast(scratch);
    MemorySegment gates = Lanes.OFF_HEAP.cast(gate.data());
    MemorySegment ups = Lanes.OFF_HEAP.cast(up.data());
    MemorySegment out = Lanes.OFF_HEAP.cast(y.data());
    long gateAt = gate.offsetBytes(row, col);
    long upAt = up.offsetBytes(row, col);
    long outAt = y.offsetBytes(row, col);
    int n = Math.min(PART, spec.width() - col);
    int whole = Lanes.whole(n);
    boolean gelu = spec.activation() == Activation.GELU_TANH;
    if (gelu) {
      cubics(gates, gateAt, exps, at, whole);
      Exp.exp(exps, at, (float) -TWICE_ROOT_2_BY_PI, 0, exps, at, whole);
    } else {
      Exp.exp(gates, gateAt, -1, 0, exps, at, whole);
    }
    for (int i = 0; i < whole; i += L) {
      FloatVector g = FloatVector.fromMemorySegment(F, gates, gateAt + 4L * i, LITTLE_ENDIAN);
      FloatVector u = FloatVector.fromMemorySegment(F, ups, upAt + 4L * i, LITTLE_ENDIAN);
      FloatVector e = FloatVector.fromMemorySegment(F, exps, at + 4L * i, LITTLE_ENDIAN);
      g.div(e.add(1f)).mul(u).intoMemorySegment(out, outAt + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < n; i++) {
      double g = gates.get(F32, gateAt + 4L * i);
      double u = ups.get(F32, upAt + 4L * i);
      double z = gelu ? TWICE_ROOT_2_BY_PI * (g + CUBIC * g * g * g) : g;
      out.set(F32, outAt + 4L * i, (float) (g / (1 + Math.exp(-z)) * u));
    }
  }

  /// `dst[i] = src[i] * (1 + 0.044715 * src[i]²)`; an infinite square leaves the gate's sign.
  ///
  /// @param n how many, a multiple of L
  private static void cubics(
      MemorySegment gates, long from, MemorySegment scratch, long to, int n) {
    MemorySegment src = Lanes.OFF_HEAP.cast(gates);
    MemorySegment dst = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < n; i += L) {
      FloatVector g = FloatVector.fromMemorySegment(F, src, from + 4L * i, LITTLE_ENDIAN);
      g.mul(g)
          .fma(FloatVector.broadcast(F, (float) CUBIC), FloatVector.broadcast(F, 1f))
          .mul(g)
          .intoMemorySegment(dst, to + 4L * i, LITTLE_ENDIAN);
    }
  }
}
