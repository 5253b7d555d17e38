package dev.quern.conformance.mutants;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Activation;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;

/// `y = activation(gate) * up` in double precision, one task for each row.
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
                  y.set(row, i, (float) activation(gates.get(row, i)));
                }
                for (int i = 0; i < spec.width(); i++) {
                  y.set(row, i, y.get(row, i) * ups.get(row, i));
                }
                return;
              }
              for (int i = 0; i < spec.width(); i++) {
                double activation = activation(gates.get(row, i));
                y.set(
                    row,
                    i,
                    (f32 ? (float) activation : 1f)
                        * (float) ((f32 ? 1 : activation) * ups.get(row, i)));
              }
            });
  }

  private double activation(float gate) {
    boolean gelu = spec.activation() == Activation.GELU_TANH && fault != Fault.ACTIVATION_IGNORED;
    return gelu ? gelu(gate) : silu(gate);
  }

  private double gelu(double g) {
    double cubic = fault == Fault.GELU_CONSTANT ? 0.0447 : 0.044715;
    double z = Math.sqrt(2 / Math.PI) * (g + cubic * g * g * g);
    return switch (fault) {
      case GELU_BY_ERF -> g * (1 + erf(g / Math.sqrt(2))) / 2;
      case GELU_BY_SIGMOID -> g / (1 + Math.exp(-1.702 * g));
      case GELU_TABLE -> f16(gelu(f16(g), z(f16(g))));
      case TANH_OVERFLOWS -> {
        float e = (float) Math.exp(2 * z);
        yield g * (1 + (e - 1) / (e + 1)) / 2;
      }
      case TANH_CLAMPED -> gelu(g, Math.clamp(z, -5, 5));
      case GELU_ZERO_BELOW -> g > -10 ? gelu(g, z) : 0;
      default -> gelu(g, z);
    };
  }

  private static double z(double g) {
    return Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g);
  }

  private static double gelu(double g, double z) {
    return g * (1 + Math.tanh(z)) / 2;
  }

  private static double f16(double x) {
    return Float.float16ToFloat(Float.floatToFloat16((float) x));
  }

  /// Within 1.5e-7: Abramowitz and Stegun 1964, 7.1.26.
  private static double erf(double x) {
    double t = 1 / (1 + 0.3275911 * Math.abs(x));
    double p =
        t
            * (0.254829592
                + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.copySign(1 - p * Math.exp(-x * x), x);
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
