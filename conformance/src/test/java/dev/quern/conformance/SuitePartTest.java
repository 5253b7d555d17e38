package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.conformance.testing.SuitePart;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;

/// Parts of the suite that the tests of providers run: green is green, and all else fails.
class SuitePartTest {
  private static final Selection SWIGLU = new Selection(Set.of("swiglu"), Set.of(), Set.of("S1"));

  @Test
  void aRightProviderPasses() {
    check(new ScalarProvider(), SWIGLU);
  }

  @Test
  void aBrokenRuleFailsWithItsCase() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(super.swiGlu(spec), right -> new WritesNothing());
          }
        };
    String message = failure(provider, SWIGLU);
    assertTrue(message.contains(SpecText.of("S1")), message);
  }

  private record WritesNothing() implements SwiGluKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 0;
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {}
  }

  @Test
  void noCaseFails() {
    Selection ofAnother = new Selection(Set.of("swiglu"), Set.of(), Set.of("N1"));
    String message = failure(new ScalarProvider(), ofAnother);
    assertTrue(message.contains("nothing was checked"), message);
  }

  @Test
  void noProviderFails() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Availability open(Platform platform) {
            return new Availability.Unavailable("no such machine", "");
          }
        };
    assertEquals("unavailable: no such machine", failure(provider, SWIGLU));
  }

  private static String failure(KernelProvider provider, Selection selection) {
    return assertThrows(AssertionFailedError.class, () -> check(provider, selection)).getMessage();
  }

  private static void check(KernelProvider provider, Selection selection) {
    Target target =
        new Target(
            provider,
            KernelOptions.fromSystem().providersPlatform(),
            Support.of(new ScalarProvider()));
    SuitePart.check("swiglu", target, selection, 1);
  }
}
