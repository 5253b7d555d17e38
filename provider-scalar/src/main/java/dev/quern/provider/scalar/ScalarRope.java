package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import java.lang.foreign.MemorySegment;

/// `a' = a*cos - b*sin`, `b' = a*sin + b*cos`, in place, in F32.
record ScalarRope(RopeSpec spec) implements RopeKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    int heads = spec.heads();
    long items = (long) x.rows() * heads;
    int tasks = Split.tasks(items, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long end = Split.begin(items, task + 1, tasks);
              for (long i = Split.begin(items, task, tasks); i < end; i++) {
                int row = (int) (i / heads);
                int head = (int) (i % heads);
                rotate(
                    x.data(),
                    x.offsetBytes(row, head * spec.headDim()),
                    table.data(),
                    table.offsetBytes(firstPosition + row, 0));
              }
            });
  }

  /// One head: pair j is (2j, 2j + 1) or (j, j + headDim/2).
  private void rotate(MemorySegment x, long at, MemorySegment table, long cosines) {
    int pairs = spec.headDim() / 2;
    long sines = cosines + 4L * pairs;
    boolean adjacent = spec.pairing() == RopePairing.ADJACENT;
    for (int j = 0; j < pairs; j++) {
      long aAt = at + 4L * (adjacent ? 2 * j : j);
      long bAt = at + 4L * (adjacent ? 2 * j + 1 : j + pairs);
      float a = x.get(JAVA_FLOAT, aAt);
      float b = x.get(JAVA_FLOAT, bAt);
      float cos = table.get(JAVA_FLOAT, cosines + 4L * j);
      float sin = table.get(JAVA_FLOAT, sines + 4L * j);
      x.set(JAVA_FLOAT, aAt, a * cos - b * sin);
      x.set(JAVA_FLOAT, bAt, a * sin + b * cos);
    }
  }
}
