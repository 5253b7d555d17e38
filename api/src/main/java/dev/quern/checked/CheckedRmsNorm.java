package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import java.util.List;

/// An RMSNorm kernel with its arguments checked.
public record CheckedRmsNorm(RmsNormKernel kernel, RmsNormSpec spec, Site site)
    implements RmsNormKernel {

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return site.scratchBytes(kernel, rows, parallelism);
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    site.notNull(x, "x");
    int rows = x.rows();
    site.input(x, "x", rows, spec.width(), "width");
    site.input(
        weight, "weight", 1, spec.groupWidth(), spec.groups() == 1 ? "width" : "width/groups");
    site.output(y, "y", rows, spec.width(), "width");
    long scratchBytes = site.workspace(kernel, w, rows);
    site.sameOrDisjoint(y, x, "x");
    site.disjoint(y, "y", weight, "weight");
    site.disjoint(x, "x", w.scratch(), scratchBytes, "scratch");
    site.disjoint(weight, "weight", w.scratch(), scratchBytes, "scratch");
    site.disjoint(y, "y", w.scratch(), scratchBytes, "scratch");
    try {
      kernel.apply(x, weight, y, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("apply", rows, e, List.of(x.data(), weight.data(), y.data()), w.workers());
    }
  }

  @Override
  public String toString() {
    return site.toString();
  }
}
