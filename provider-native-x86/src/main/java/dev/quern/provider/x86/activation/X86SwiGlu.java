package dev.quern.provider.x86.activation;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.memory.Split;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.MemorySegment;

/// SwiGLU by [SwiGluCode]: an element's bits depend on it alone. Rows are cut into parts, so that
/// one row has work for several workers. Scratch of each worker: the arguments.
///
/// @param lanes floats of a vector
record X86SwiGlu(SwiGluSpec spec, int lanes, WideRoutine routine) implements SwiGluKernel {
  private static final int TASKS_PER_WORKER = 8;

  /// Columns of a part: less is not worth the waking of a worker.
  private static final int PART = 4096;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return (long) Split.LINE * parallelism;
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    int parts = Math.ceilDiv(spec.width(), PART);
    long items = (long) gate.rows() * parts;
    int tasks = Split.tasks(items, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long end = Split.begin(items, task + 1, tasks);
              for (long i = Split.begin(items, task, tasks); i < end; i++) {
                part(
                    gate,
                    up,
                    y,
                    (int) (i / parts),
                    (int) (i % parts) * PART,
                    w.scratch(),
                    (long) Split.LINE * worker);
              }
            });
  }

  /// The part of a row that begins at a column.
  private void part(
      F32Matrix gate,
      F32Matrix up,
      F32Matrix y,
      int row,
      int col,
      MemorySegment scratch,
      long arguments) {
    SwiGluCode.arguments(
        scratch,
        arguments,
        gate.data().address() + gate.offsetBytes(row, col),
        up.data().address() + up.offsetBytes(row, col),
        y.data().address() + y.offsetBytes(row, col),
        Math.min(PART, spec.width() - col),
        lanes);
    routine.call(
        scratch.address() + arguments, scratch, gate.data(), up.data(), up.data(), y.data());
  }
}
