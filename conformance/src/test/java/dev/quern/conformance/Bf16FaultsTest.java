package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.KernelOptions;
import dev.quern.conformance.judge.Half;
import dev.quern.data.Bf16;
import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The suite's rules for `bf16`: they pass a kernel that rounds and sums as L13 says, in another
/// order than the scalar provider, and find the faults that the numerics is about.
class Bf16FaultsTest {
  /// What is wrong.
  enum Fault {
    /// Nothing.
    NONE,
    /// Weights stay F32.
    WEIGHTS_NOT_ROUNDED,
    /// Activations stay F32: `exact-f32` for BF16 weights.
    X_NOT_ROUNDED,
    /// Lower bits are cut off.
    CUT_OFF,
    /// Ties go away from zero.
    TIES_AWAY,
    /// Sums are rounded to BF16.
    SUMS_ROUNDED
  }

  @Test
  void theModelPasses() {
    assertEquals(List.of(), failures(Fault.NONE, "F16", Set.of("L1", "L3", "L4", "L10", "L13")));
    assertEquals(List.of(), failures(Fault.NONE, "F32", Set.of("L13", "F1")));
    assertEquals(List.of(), failures(Fault.NONE, "Q4_K", Set.of("L13", "F1")));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aFaultIsFound(Fault fault) {
    assertFalse(failures(fault, "F32", Set.of("L13")).isEmpty(), fault + " passes L13");
  }

  @Test
  void theOracleRoundsAsTheCodecDoes() {
    Random random = new Random(3);
    for (int i = 0; i < 100_000; i++) {
      float value = Float.intBitsToFloat(i % 3 == 0 ? random.nextInt() | 0x8000 : random.nextInt());
      if (i % 3 == 0) {
        value = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xFFFF_8000); // a tie
      }
      if (Float.isFinite(value)) {
        assertEquals(Bf16.toFloat(Bf16.fromFloat(value)), Half.roundToBf16(value));
      }
    }
  }

  private static List<Failure> failures(Fault fault, String format, Set<String> rules) {
    Target target =
        new Target(
            new ModelProvider(fault),
            KernelOptions.fromSystem().providersPlatform(),
            Support.parse("this test", "linear F32,F16,Q4_K bf16"));
    var cells =
        Suite.run(
                target,
                new Settings(20, 1, Optional.empty()),
                new Selection(Set.of("linear"), Set.of(format), rules),
                cell -> {})
            .cells();
    assertFalse(cells.stream().noneMatch(c -> c.rule().startsWith("L13")), "nothing was checked");
    return cells.stream().flatMap(c -> c.firstFailure().stream()).toList();
  }

  private record ModelProvider(Fault fault) implements KernelProvider, KernelSet {
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
      if (!Set.of("F32", "F16", "Q4_K").contains(spec.weights().id())
          || spec.bias()
          || !spec.tolerated().contains(Numerics.BF16)) {
        return Offer.declined("not the numerics of this test");
      }
      return Offer.accepted(
          (stacked, packed, workers) -> new ModelLinear(spec, stacked, fault),
          new Variant("model", 1, Numerics.BF16));
    }
  }

  private record ModelLinear(LinearSpec spec, List<WeightMatrix> stacked, Fault fault)
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
      BlockCodec codec = BlockCodec.of(spec.weights()).orElseThrow();
      int first = 0;
      for (WeightMatrix m : stacked) {
        MemorySegment weights = Arena.ofAuto().allocate(4L * spec.inputs(), 4);
        for (int o = 0; o < m.outputs(); o++) {
          codec.decodeRow(m, o, weights, 0);
          for (int r = 0; r < x.rows(); r++) {
            float sum = sum(x, r, weights);
            float before = spec.accumulate() ? y.get(r, first + o) : 0;
            y.set(r, first + o, before + sum);
          }
        }
        first += m.outputs();
      }
    }

    /// As `tdpbf16ps`: even and odd products apart, and both onto the sum.
    private float sum(F32Matrix x, int r, MemorySegment weights) {
      float sum = 0;
      float notFinite = 0;
      for (int from = 0; from < spec.inputs(); from += 32) {
        float[] sums = new float[2];
        for (int i = from; i < Math.min(from + 32, spec.inputs()); i++) {
          float xi = x.get(r, i);
          float wi = weights.getAtIndex(ValueLayout.JAVA_FLOAT, i);
          notFinite += xi * 0;
          sums[i % 2] =
              Math.fma(
                  fault == Fault.X_NOT_ROUNDED ? xi : rounded(xi),
                  fault == Fault.WEIGHTS_NOT_ROUNDED ? wi : rounded(wi),
                  sums[i % 2]);
        }
        sum += sums[0] + sums[1];
        sum = fault == Fault.SUMS_ROUNDED ? rounded(sum) : sum;
      }
      return sum + notFinite;
    }

    private float rounded(float value) {
      int bits = Float.floatToRawIntBits(value);
      return switch (fault) {
        case CUT_OFF -> Float.intBitsToFloat(bits & 0xFFFF_0000);
        case TIES_AWAY ->
            Float.isFinite(value) ? Float.intBitsToFloat(bits + 0x8000 & 0xFFFF_0000) : value;
        default -> Bf16.toFloat(Bf16.fromFloat(value));
      };
    }
  }
}
