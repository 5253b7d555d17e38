package dev.quern.conformance.run;

import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Workers that look at the operands before and after each task: what is changed in one and put
/// back in another shows. They see bytes that change where nothing may be written: in inputs, and
/// between the rows of outputs.
public final class Watch implements Workers {
  /// Bytes that the looks of one run may read; where there are many tasks, some are left out.
  private static final long MAX_BYTES = 1L << 26;

  private final Workers workers;
  private final List<Operand> operands;
  private volatile String found;

  /// @param operands which may become more until a run begins
  Watch(Workers workers, List<Operand> operands) {
    this.workers = workers;
    this.operands = operands;
  }

  @Override
  public int parallelism() {
    return workers.parallelism();
  }

  @Override
  public void run(int tasks, Task body) {
    long bytes = operands.stream().mapToLong(o -> o.initial().length).sum();
    int step = Math.clamp(2 * bytes * tasks / MAX_BYTES, 1, Math.max(1, tasks));
    look("before a run of tasks");
    workers.run(
        tasks,
        (task, worker) -> {
          if (task % step == 0) {
            look("before task " + task);
          }
          body.run(task, worker);
          if (task % step == 0) {
            look("after task " + task);
          }
        });
    look("after a run of tasks");
  }

  private void look(String when) {
    for (Operand o : found == null ? operands : List.<Operand>of()) {
      long at = o.firstDamage();
      if (at >= 0) {
        found = String.format(Locale.ROOT, "byte %d of %s, %s", at, o.name(), when);
      }
    }
  }

  /// Where something was changed, and when that was seen first.
  public Optional<String> found() {
    return Optional.ofNullable(found);
  }
}
