package dev.quern.conformance.mutants;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;

/// `a' = a*cos - b*sin`, `b' = a*sin + b*cos` in F32, one task for each row.
record MutantRope(Fault fault, RopeSpec spec) implements RopeKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
    boolean fused =
        (fault == Fault.ROPE_ALONE_FUSED || fault == Fault.ROPE_VARIANT_FUSED) && x.rows() == 1;
    w.workers()
        .run(
            x.rows(),
            (row, worker) -> {
              for (int head = 0; head < spec.heads(); head++) {
                int ahead =
                    switch (fault) {
                      case TABLE_ROW_OFF_BY_ONE -> 1;
                      case TABLE_ROW_BY_HEAD -> head;
                      default -> 0;
                    };
                int position = Math.min(firstPosition + row + ahead, table.rows() - 1);
                rotate(x, row, head * spec.headDim(), table, position, fused);
              }
              if (fault == Fault.COLUMNS_BEYOND
                  && row < x.rows() - 1
                  && x.rowStrideFloats() > x.columns()) {
                x.set(row, x.columns(), 0);
              }
            });
  }

  /// One head: pair j is (2j, 2j + 1) or (j, j + headDim/2).
  private void rotate(F32Matrix x, int row, int col, F32Matrix table, int position, boolean fused) {
    int pairs = spec.headDim() / 2;
    boolean adjacent = spec.pairing() == RopePairing.ADJACENT ^ fault == Fault.PAIRING_SWAPPED;
    for (int j = 0; j < pairs; j++) {
      int aAt = col + (adjacent ? 2 * j : j);
      int bAt = col + (adjacent ? 2 * j + 1 : j + pairs);
      float a = x.get(row, aAt);
      float b = x.get(row, bAt);
      float cos = table.get(position, j);
      float sin = table.get(position, pairs + j);
      if (fault == Fault.SINE_SIGN) {
        sin = -sin;
      } else if (fault == Fault.ROPE_NAN_EATEN && Float.isNaN(a + b)) {
        a = 0;
        b = 0;
      }
      x.set(row, aAt, fused ? Math.fma(a, cos, -(b * sin)) : a * cos - b * sin);
      x.set(row, bAt, fused ? Math.fma(a, sin, b * cos) : a * sin + b * cos);
    }
  }
}
