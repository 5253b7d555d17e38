package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.KernelOptions;
import dev.quern.conformance.Failure;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Suite;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.kleidi.KleidiModel.Row;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The suite's rules for `int8-sym-32-f16`, on any machine: they pass the model of KleidiAI's
/// arithmetic and find the faults that the numerics is about.
class F16ScalesTest {
  /// What is wrong with a row's scales.
  enum Fault {
    /// They stay F32: the numerics is `int8-sym-32`.
    NOT_ROUNDED,
    /// They are rounded as they are, though F16 can't hold them.
    ROW_NOT_SCALED
  }

  @Test
  void theModelPasses() {
    assertEquals(List.of(), failures(Optional.empty()));
  }

  @ParameterizedTest
  @EnumSource
  void aFaultIsFound(Fault fault) {
    assertFalse(failures(Optional.of(fault)).isEmpty(), fault + " passes L6 and L9");
  }

  private static List<Failure> failures(Optional<Fault> fault) {
    Target target =
        new Target(
            new ModelProvider(fault),
            KernelOptions.fromSystem().providersPlatform(),
            Support.parse("this test", "linear Q4_0 int8-sym-32-f16"));
    Selection selection =
        new Selection(
            Set.of("linear"),
            Set.of("int8-sym-32-f16"),
            fault.isPresent() ? Set.of("L6", "L9") : Set.of("L3", "L4", "L6", "L8", "L9", "L10"));
    var cells =
        Suite.run(target, new Settings(20, 1, Optional.empty()), selection, cell -> {}).cells();
    assertFalse(cells.isEmpty(), "nothing was checked");
    return cells.stream().flatMap(c -> c.firstFailure().stream()).toList();
  }

  /// [KleidiModel] as a provider.
  private record ModelProvider(Optional<Fault> fault) implements KernelProvider, KernelSet {
    @Override
    public String name() {
      return "model";
    }

    @Override
    public int priority() {
      return 1;
    }

    @Override
    public int specVersion() {
      return Spec.VERSION;
    }

    @Override
    public Availability open(Platform platform) {
      return new Availability.Ready(this, "");
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      if (spec.bias()
          || !spec.weights().equals(BlockFormat.Q4_0)
          || !spec.tolerated().contains(Numerics.INT8_SYM_32_F16)) {
        return Offer.declined("not the numerics of this test");
      }
      return Offer.accepted(
          (stacked, packed, workers) -> new ModelLinear(spec, stacked, fault),
          new Variant("model", 1, Numerics.INT8_SYM_32_F16));
    }
  }

  private record ModelLinear(LinearSpec spec, List<WeightMatrix> stacked, Optional<Fault> fault)
      implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return true;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 0;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      for (int r = 0; r < x.rows(); r++) {
        float[] values = new float[spec.inputs()];
        boolean finite = true;
        for (int i = 0; i < values.length; i++) {
          values[i] = x.get(r, i);
          finite &= Float.isFinite(values[i]);
        }
        Row row = broken(new KleidiModel(false).blocks(values), values);
        int first = 0;
        for (WeightMatrix m : stacked) {
          for (int o = 0; o < m.outputs(); o++) {
            float sum = finite ? KleidiModel.q4(row, m, o) : Float.NaN;
            float before = spec.accumulate() ? y.get(r, first + o) : 0;
            y.set(r, first + o, before + sum);
          }
          first += m.outputs();
        }
      }
    }

    private Row broken(Row row, float[] x) {
      if (fault.isEmpty()) {
        return row;
      }
      float[] s = row.s().clone();
      for (int b = 0; b < s.length; b++) {
        float max = 0;
        for (int i = 32 * b; i < 32 * b + 32; i++) {
          max = Math.max(max, Math.abs(x[i]));
        }
        s[b] =
            switch (fault.get()) {
              case NOT_ROUNDED -> max / 127 / row.factor();
              case ROW_NOT_SCALED ->
                  Float.float16ToFloat(Float.floatToFloat16(max / 127)) / row.factor();
            };
      }
      return new Row(row.q(), 0, s, row.factor());
    }
  }
}
