package dev.quern.provider.x86.activation;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.provider.x86.memory.Split;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.MemorySegment;

/// RMSNorm by [RmsNormCode], row by row, and group by group of it: the bits of a group depend on it
/// alone. Scratch of each worker: the arguments.
///
/// @param lanes floats of a vector
record X86RmsNorm(RmsNormSpec spec, int lanes, WideRoutine routine) implements RmsNormKernel {
  private static final int TASKS_PER_WORKER = 8;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return (long) Split.LINE * parallelism;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    int rows = x.rows();
    int tasks = Split.tasks(rows, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int end = (int) Split.begin(rows, task + 1, tasks);
              for (int r = (int) Split.begin(rows, task, tasks); r < end; r++) {
                for (int col = 0; col < spec.width(); col += spec.groupWidth()) {
                  group(
                      x.data(),
                      x.offsetBytes(r, col),
                      weight.data(),
                      y.data(),
                      y.offsetBytes(r, col),
                      w.scratch(),
                      (long) Split.LINE * worker);
                }
              }
            });
  }

  private void group(
      MemorySegment x,
      long at,
      MemorySegment weight,
      MemorySegment y,
      long to,
      MemorySegment scratch,
      long arguments) {
    RmsNormCode.operands(scratch, arguments, x.address() + at, weight.address(), y.address() + to);
    RmsNormCode.norm(scratch, arguments, spec.groupWidth(), lanes, spec.epsilon());
    routine.call(scratch.address() + arguments, scratch, x, weight, weight, y);
  }
}
