package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.Comparison.Most;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Two providers on the same cases: the scalar one, and the scalar one a little off.
class CrossCheckTest {
  /// SPEC.md's S1 allows 16 units roundoff.
  private static final float EIGHT_UNITS = 8 * 0x1p-24f;

  @Test
  void aDifferenceWithinTheBoundsIsMeasuredAndReplayed() {
    Comparison comparison = compare(perturbed(1 + EIGHT_UNITS), Optional.empty());
    assertTrue(comparison.green(), comparison.toString());
    Difference d = comparison.differences().getFirst();
    assertEquals(1, comparison.differences().size());
    assertEquals("swiglu", d.operator());
    assertTrue(d.cases() > 5, d.toString());
    assertEquals("", d.declined());
    assertTrue(d.firstWorst() < 0.3 && d.secondWorst() > 0.3 && d.secondWorst() < 1, d.toString());
    Most most = d.most().orElseThrow();
    assertEquals(0.5, most.ratio(), 0.1);
    assertEquals(most.ratio(), Math.abs(most.first() - most.second()) / most.bound(), 1e-12);

    Comparison replayed = compare(perturbed(1 + EIGHT_UNITS), Optional.of(most.replay()));
    assertEquals(most, replayed.differences().getFirst().most().orElseThrow());
    assertEquals(1, replayed.cases());
  }

  @Test
  void theSameProviderTwiceHasTheSameBits() {
    Comparison comparison = compare(perturbed(1), Optional.empty());
    assertTrue(comparison.green());
    assertEquals(Optional.empty(), comparison.differences().getFirst().most());
  }

  @Test
  void aProviderOutOfItsBoundIsNamed() {
    Comparison comparison = compare(perturbed(1.01f), Optional.empty());
    assertFalse(comparison.green());
    String broken = comparison.differences().getFirst().broken().orElseThrow();
    assertTrue(broken.startsWith("broken is out of its bound at y["), broken);
    assertTrue(broken.contains("P5/swiglu:width="), broken);
  }

  @Test
  void aProviderThatThrowsIsNamed() {
    Comparison comparison = compare(perturbed(Float.NaN), Optional.empty());
    assertFalse(comparison.green());
    String broken = comparison.differences().getFirst().broken().orElseThrow();
    assertTrue(broken.contains("broken threw java.lang.IllegalStateException: off"), broken);
  }

  @Test
  void nothingInCommonIsNoSuccess() {
    KernelProvider declining =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return Offer.declined("not today");
          }
        };
    Comparison comparison = compare(declining, Optional.empty());
    assertFalse(comparison.green());
    assertEquals("broken declined: not today", comparison.differences().getFirst().declined());
  }

  private static Comparison compare(KernelProvider second, Optional<String> replay) {
    return CrossCheck.run(
        Target.here(new ScalarProvider()),
        Target.here(second),
        new Settings(5, 1, replay),
        new Selection(Set.of("swiglu"), Set.of("F32"), Set.of()),
        difference -> {});
  }

  /// SwiGLU times a factor; NaN throws instead.
  private static KernelProvider perturbed(float factor) {
    return new WrappedProvider() {
      @Override
      public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
        return map(super.swiGlu(spec), right -> off(right, factor));
      }
    };
  }

  private static SwiGluKernel off(SwiGluKernel right, float factor) {
    return new SwiGluKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        if (Float.isNaN(factor)) {
          throw new IllegalStateException("off");
        }
        right.apply(gate, up, y, w);
        for (int r = 0; r < y.rows(); r++) {
          for (int c = 0; c < y.columns(); c++) {
            y.set(r, c, y.get(r, c) * factor);
          }
        }
      }
    };
  }
}
