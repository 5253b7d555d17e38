package dev.quern.conformance.mutants;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packs [MutantLinear], and a kernel with a bias on top of it: y is set to the bias, and the
/// products are added to it.
record MutantPacker(Fault fault, LinearSpec spec, int int8From) implements LinearPacker {
  @Override
  public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
    return MutantLinear.pack(fault, spec, int8From, stacked, packed);
  }

  @Override
  public LinearKernel pack(
      List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
    MemorySegment own =
        fault == Fault.BIAS_READ_LATER
            ? bias
            : packed.allocate(bias.byteSize(), Float.BYTES).copyFrom(bias);
    LinearSpec adds = spec.withAccumulate(true);
    LinearKernel kernel = MutantLinear.pack(fault, adds, int8From, stacked, packed);
    return new Biased(fault, spec, int8From, stacked.getFirst().outputs(), own, kernel);
  }

  /// @param first outputs of the first matrix
  private record Biased(
      Fault fault,
      LinearSpec spec,
      int int8From,
      int first,
      MemorySegment bias,
      LinearKernel kernel)
      implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return kernel.retainsSource();
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return kernel.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      boolean add = spec.accumulate() && fault != Fault.BIAS_OVERWRITES;
      for (int r = 0; r < y.rows(); r++) {
        for (int o = 0; o < y.columns(); o++) {
          y.set(r, o, add ? y.get(r, o) + bias(x, r, o) : bias(x, r, o));
        }
      }
      kernel.apply(x, y, w);
    }

    private float bias(F32Matrix x, int r, int o) {
      int last = spec.outputs() - 1;
      float b =
          bias.getAtIndex(JAVA_FLOAT, fault == Fault.BIAS_SHIFTED ? Math.min(o + 1, last) : o);
      return switch (fault) {
        case BIAS_DROPPED -> 0;
        case BIAS_BY_ROWS -> x.rows() > 1 ? 2 * b : b;
        case BIAS_OF_FIRST -> o < first ? b : 0;
        case BIAS_ROUNDED ->
            Float.intBitsToFloat(Float.floatToRawIntBits(b) + 0x8000 & 0xFFFF_0000);
        case BIAS_SCALED -> x.rows() >= int8From ? b * step(x, r) : b;
        case BIAS_WITHOUT_TAIL -> o < (last + 1 & -4) ? b : 0;
        case BIAS_NOT_ADDED -> spec.accumulate() ? 0 : b;
        case BIAS_NAN_EATEN -> Float.isFinite(b) ? b : 0;
        default -> b;
      };
    }

    private static float step(F32Matrix x, int r) {
      float most = 0;
      for (int i = 0; i < x.columns(); i++) {
        most = Math.max(most, Math.abs(x.get(r, i)));
      }
      return most / 127;
    }
  }
}
