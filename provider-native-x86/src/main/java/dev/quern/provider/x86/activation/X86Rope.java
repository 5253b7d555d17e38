package dev.quern.provider.x86.activation;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.provider.x86.memory.Split;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.MemorySegment;

/// RoPE by [RopeCode], row by row: a pair's bits depend on it and its angle alone. Scratch of each
/// worker: the arguments.
///
/// @param lanes floats of a vector
record X86Rope(RopeSpec spec, int lanes, WideRoutine routine) implements RopeKernel {
  private static final int TASKS_PER_WORKER = 8;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return (long) Split.LINE * parallelism;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    int rows = x.rows();
    int tasks = Split.tasks(rows, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int end = (int) Split.begin(rows, task + 1, tasks);
              for (int r = (int) Split.begin(rows, task, tasks); r < end; r++) {
                row(x, r, table, firstPosition + r, w.scratch(), (long) Split.LINE * worker);
              }
            });
  }

  private void row(
      F32Matrix x, int row, F32Matrix table, int position, MemorySegment scratch, long arguments) {
    RopeCode.arguments(
        scratch,
        arguments,
        x.data().address() + x.offsetBytes(row, 0),
        table.data().address() + table.offsetBytes(position, 0),
        spec,
        spec.pairing() == RopePairing.ADJACENT,
        lanes);
    MemorySegment angles = table.data();
    routine.call(scratch.address() + arguments, scratch, angles, angles, angles, x.data());
  }
}
