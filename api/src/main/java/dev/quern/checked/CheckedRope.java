package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import java.util.List;

/// A RoPE kernel with its arguments checked.
public record CheckedRope(RopeKernel kernel, RopeSpec spec, Site site) implements RopeKernel {

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return site.scratchBytes(kernel, rows, parallelism);
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    site.notNull(x, "x");
    site.notNull(table, "table");
    int rows = x.rows();
    site.output(x, "x", rows, spec.heads() * spec.headDim(), "heads*headDim");
    site.input(table, "table", table.rows(), spec.headDim(), "headDim");
    site.positions("firstPosition", firstPosition, rows, "table.rows", table.rows());
    long scratchBytes = site.workspace(kernel, w, rows);
    site.disjoint(x, "x", table, "table");
    site.disjoint(x, "x", w.scratch(), scratchBytes, "scratch");
    site.disjoint(table, "table", w.scratch(), scratchBytes, "scratch");
    try {
      kernel.apply(x, table, firstPosition, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("apply", rows, e, List.of(x.data(), table.data()), w.workers());
    }
  }

  @Override
  public String toString() {
    return site.toString();
  }
}
