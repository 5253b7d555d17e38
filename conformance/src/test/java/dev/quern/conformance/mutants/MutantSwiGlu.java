package dev.quern.conformance.mutants;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;

/// `y = gate / (1 + exp(-gate)) * up` in double precision, one task for each row.
record MutantSwiGlu(Fault fault, SwiGluSpec spec) implements SwiGluKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    boolean f32 =
        (fault == Fault.SWIGLU_ALONE_F32 || fault == Fault.SWIGLU_VARIANT_F32) && gate.rows() == 1;
    F32Matrix gates = fault == Fault.GATE_UP_SWAPPED ? up : gate;
    F32Matrix ups = fault == Fault.GATE_UP_SWAPPED ? gate : up;
    w.workers()
        .run(
            gate.rows(),
            (row, worker) -> {
              if (fault == Fault.SWIGLU_NOT_IN_PLACE) {
                for (int i = 0; i < spec.width(); i++) {
                  y.set(row, i, (float) silu(gates.get(row, i)));
                }
                for (int i = 0; i < spec.width(); i++) {
                  y.set(row, i, y.get(row, i) * ups.get(row, i));
                }
                return;
              }
              for (int i = 0; i < spec.width(); i++) {
                double silu = silu(gates.get(row, i));
                y.set(
                    row,
                    i,
                    (f32 ? (float) silu : 1f) * (float) ((f32 ? 1 : silu) * ups.get(row, i)));
              }
            });
  }

  private double silu(float gate) {
    double g = fault == Fault.GATE_CLAMPED && !(gate > -80) ? -80 : gate;
    return switch (fault) {
      case FAST_EXP ->
          g / (1 + Float.intBitsToFloat(Float.floatToRawIntBits((float) Math.exp(-g)) & -1 << 13));
      case EXP_OVERFLOWS -> g * ((float) Math.exp(g) / (1 + (float) Math.exp(g)));
      default -> g / (1 + Math.exp(-g));
    };
  }
}
