package com.example.quern;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;

/// `y = gate / (1 + exp(-gate)) * up`, in double precision, rounded once.
record ExampleSwiGlu(SwiGluSpec spec) implements SwiGluKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    w.workers().run(gate.rows(), (row, worker) -> {
      for (int i = 0; i < spec.width(); i++) {
        double g = gate.get(row, i);
        y.set(row, i, (float) (g / (1 + Math.exp(-g)) * up.get(row, i)));
      }
    });
  }
}
