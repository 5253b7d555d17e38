package dev.quern.provider.vector.rows;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.vector.lanes.Exp;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// `y = gate / (1 + exp(-gate)) * up`. Where exp overflows, the quotient is a zero, as it should
/// be. Rows are cut into parts, so that one row has work for many workers. Scratch of each worker:
/// exp(-gate) of a part.
public record SwiGlu(SwiGluSpec spec) implements SwiGluKernel {
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
      F32Matrix gate, F32Matrix up, F32Matrix y, int row, int col, MemorySegment exps, long at) {
    MemorySegment gates = gate.data();
    MemorySegment ups = up.data();
    MemorySegment out = y.data();
    long gateAt = gate.offsetBytes(row, col);
    long upAt = up.offsetBytes(row, col);
    long outAt = y.offsetBytes(row, col);
    int n = Math.min(PART, spec.width() - col);
    int whole = Lanes.whole(n);
    Exp.exp(gates, gateAt, -1, 0, exps, at, whole);
    for (int i = 0; i < whole; i += L) {
      FloatVector g = FloatVector.fromMemorySegment(F, gates, gateAt + 4L * i, LITTLE_ENDIAN);
      FloatVector u = FloatVector.fromMemorySegment(F, ups, upAt + 4L * i, LITTLE_ENDIAN);
      FloatVector e = FloatVector.fromMemorySegment(F, exps, at + 4L * i, LITTLE_ENDIAN);
      g.div(e.add(1f)).mul(u).intoMemorySegment(out, outAt + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < n; i++) {
      double g = gates.get(JAVA_FLOAT, gateAt + 4L * i);
      double u = ups.get(JAVA_FLOAT, upAt + 4L * i);
      out.set(JAVA_FLOAT, outAt + 4L * i, (float) (g / (1 + Math.exp(-g)) * u));
    }
  }
}
