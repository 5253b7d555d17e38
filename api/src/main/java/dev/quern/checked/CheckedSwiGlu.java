package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.util.List;

/// A SwiGLU kernel with its arguments checked.
public record CheckedSwiGlu(SwiGluKernel kernel, SwiGluSpec spec, Site site)
    implements SwiGluKernel {

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return site.scratchBytes(kernel, rows, parallelism);
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    site.notNull(gate, "gate");
    int rows = gate.rows();
    site.input(gate, "gate", rows, spec.width(), "width");
    site.input(up, "up", rows, spec.width(), "width");
    site.output(y, "y", rows, spec.width(), "width");
    long scratchBytes = site.workspace(kernel, w, rows);
    site.sameOrDisjoint(y, gate, "gate");
    site.sameOrDisjoint(y, up, "up");
    site.disjoint(gate, "gate", w.scratch(), scratchBytes, "scratch");
    site.disjoint(up, "up", w.scratch(), scratchBytes, "scratch");
    site.disjoint(y, "y", w.scratch(), scratchBytes, "scratch");
    try {
      kernel.apply(gate, up, y, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("apply", rows, e, List.of(gate.data(), up.data(), y.data()), w.workers());
    }
  }

  @Override
  public String toString() {
    return site.toString();
  }
}
