package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Activation;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.lang.foreign.MemorySegment;

/// `y = gate / (1 + exp(-z)) * up`, in double precision, rounded once. Where exp overflows, the
/// quotient is a zero, as it should be. For SiLU z is the gate itself; for GELU, where `(1 + tanh(z
/// / 2)) / 2` is that quotient, it is `2 * sqrt(2/π) * (gate + 0.044715 * gate³)`. Rows are cut
/// into parts, so that one row has work for many workers.
record ScalarSwiGlu(SwiGluSpec spec) implements SwiGluKernel {
  private static final double TWICE_ROOT_2_BY_PI = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  /// Columns of a part.
  private static final int PART = 1024;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    int parts = Math.ceilDiv(spec.width(), PART);
    long items = (long) gate.rows() * parts;
    int tasks = Split.tasks(items, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long end = Split.begin(items, task + 1, tasks);
              for (long i = Split.begin(items, task, tasks); i < end; i++) {
                gate(gate, up, y, (int) (i / parts), (int) (i % parts) * PART);
              }
            });
  }

  /// The part of a row that begins at a column.
  private void gate(F32Matrix gate, F32Matrix up, F32Matrix y, int row, int col) {
    MemorySegment gates = gate.data();
    MemorySegment ups = up.data();
    MemorySegment out = y.data();
    long gateAt = gate.offsetBytes(row, col);
    long upAt = up.offsetBytes(row, col);
    long outAt = y.offsetBytes(row, col);
    int n = Math.min(PART, spec.width() - col);
    boolean gelu = spec.activation() == Activation.GELU_TANH;
    for (int i = 0; i < n; i++) {
      double g = gates.get(JAVA_FLOAT, gateAt + 4L * i);
      double u = ups.get(JAVA_FLOAT, upAt + 4L * i);
      double z = gelu ? TWICE_ROOT_2_BY_PI * (g + CUBIC * g * g * g) : g;
      out.set(JAVA_FLOAT, outAt + 4L * i, (float) (g / (1 + Math.exp(-z)) * u));
    }
  }
}
