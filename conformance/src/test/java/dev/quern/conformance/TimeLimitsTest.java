package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.run.NoEndException;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Everything in a suite has a time limit and an outcome: what hangs, and errors of every kind.
class TimeLimitsTest {
  private static final String PATIENCE = "quern.conformance.patience";

  /// One second in place of 20.
  @BeforeEach
  void impatient() {
    System.setProperty(PATIENCE, "0.05");
  }

  @AfterEach
  void patientAgain() {
    System.clearProperty(PATIENCE);
  }

  private static SuiteResult run(KernelProvider provider, Set<String> operators, String... rules) {
    return Suite.run(
        target(provider),
        new Settings(5, 1, Optional.empty()),
        new Selection(operators, Set.of(), Set.of(rules)),
        cell -> {});
  }

  private static Target target(KernelProvider provider) {
    Target here = Target.here(new ScalarProvider());
    return new Target(provider, here.platform(), here.support());
  }

  private static List<Failure> failures(SuiteResult result) {
    return result.cells().stream().flatMap(c -> c.firstFailure().stream()).toList();
  }

  private interface Fault {
    void before(F32Matrix x);
  }

  /// Norms that do something first.
  private static KernelProvider norm(Fault fault) {
    return new WrappedProvider() {
      @Override
      public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
        return map(
            super.rmsNorm(spec),
            right ->
                new RmsNormKernel() {
                  @Override
                  public long scratchBytes(int rows, int parallelism) {
                    return right.scratchBytes(rows, parallelism);
                  }

                  @Override
                  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
                    fault.before(x);
                    right.apply(x, weight, y, w);
                  }
                });
      }
    };
  }

  private static void hang() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aCallThatNeverEndsFailsAndTheSuiteGoesOn() {
    KernelProvider provider = norm(x -> hang());
    SuiteResult result = run(provider, Set.of("rmsnorm", "swiglu"), "N1", "N2", "P5", "P6", "S1");
    List<Failure> failures = failures(result);
    assertEquals(3, failures.size());
    String message = failures.getFirst().message();
    assertTrue(message.contains("no end of the case after 1 s, it stands at "), message);
    assertTrue(message.contains("TimeLimitsTest.hang"), message);
    assertEquals(failures.getFirst().original(), failures.getFirst().replay());
    List<String> skipped =
        result.cells().stream().flatMap(c -> c.skips().keySet().stream()).distinct().toList();
    assertTrue(skipped.contains("not tried: a case before it did not end"), skipped.toString());
    assertTrue(
        skipped.contains("given up: 3 cases of this operator did not end"), skipped.toString());
    assertTrue(
        result.cells().stream()
            .filter(c -> c.operator().equals("swiglu"))
            .allMatch(c -> c.passes() > 0 && c.failures() == 0));
  }

  /// A call for each kind of norm, of rows and of groups, never ends, and has a core for itself.
  @Test
  void aCallThatNeverEndsMayBeBusy() {
    boolean[] end = {false};
    KernelProvider provider =
        norm(x -> {
          while (x.rows() > 8 && !end[0]) {
            Thread.onSpinWait();
          }
        });
    SuiteResult result = run(provider, Set.of("rmsnorm"), "N1");
    end[0] = true;
    assertEquals(2, failures(result).size());
    assertTrue(result.passes() > 0);
    assertFalse(result.green());
  }

  /// Shrinking goes through calls that hang: what was found stands.
  @Test
  void aHangOnTheWayToASmallerCase() {
    KernelProvider provider =
        norm(x -> {
          if (x.columns() > 40) {
            throw new IllegalStateException("too wide");
          } else if (x.columns() > 8) {
            hang();
          }
        });
    for (Failure failure : failures(run(provider, Set.of("rmsnorm"), "N2"))) {
      assertTrue(failure.message().matches("(?s).*(too wide|no end of).*"), failure.message());
      assertFalse(failure.message().contains("failed once, then not"), failure.message());
    }
  }

  static List<Supplier<Error>> errors() {
    return List.of(
        () -> new StackOverflowError("mine"),
        () -> new InternalError("mine"),
        () -> new OutOfMemoryError("mine"),
        () -> new NoClassDefFoundError("mine"),
        () -> new AssertionError("mine"),
        Untold::new);
  }

  /// An exception is a provider's code as well.
  private static final class Untold extends Error {
    private static final long serialVersionUID = 1;

    @Override
    public String toString() {
      throw new IllegalStateException("no words");
    }
  }

  @ParameterizedTest
  @MethodSource("errors")
  void anErrorOfACallIsTheCases(Supplier<Error> error) {
    KernelProvider provider =
        norm(x -> {
          if (x.columns() > 40) {
            throw error.get();
          }
        });
    SuiteResult result = run(provider, Set.of("rmsnorm"), "N1", "P5");
    assertTrue(result.passes() > 0);
    String message = failures(result).getFirst().message();
    assertTrue(message.contains("threw "), message);
    assertTrue(message.contains("width=41,"), message); // shrunk as any other
    assertTrue(!(error.get() instanceof OutOfMemoryError) || message.contains("MiB"), message);
  }

  @ParameterizedTest
  @MethodSource("errors")
  void anErrorOfAnOfferHasAVerdict(Supplier<Error> error) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            throw error.get();
          }
        };
    SuiteResult result = run(provider, Set.of("provider", "swiglu"));
    assertTrue(failures(result).stream().anyMatch(f -> f.rule().equals("P4")));
    SuiteResult norm = run(provider, Set.of("rmsnorm"), "N1");
    assertTrue(norm.green());
  }

  @ParameterizedTest
  @MethodSource("errors")
  void anErrorOfAvailabilityHasAVerdict(Supplier<Error> error) {
    SuiteResult result =
        run(
            new WrappedProvider() {
              @Override
              public Availability open(Platform platform) {
                throw error.get();
              }
            },
            Set.of());
    assertFalse(result.green());
    assertEquals("P3", failures(result).getFirst().rule());
  }

  @Test
  void availabilityThatNeverAnswersHasAVerdict() {
    SuiteResult result =
        run(
            new WrappedProvider() {
              @Override
              public Availability open(Platform platform) {
                hang();
                return super.open(platform);
              }
            },
            Set.of());
    assertFalse(result.green());
    assertEquals("P3", failures(result).getFirst().rule());
  }

  @Test
  void offersThatNeverComeHaveAVerdict() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            hang();
            return super.swiGlu(spec);
          }
        };
    SuiteResult result = run(provider, Set.of("swiglu", "rmsnorm"), "P4", "S1", "P5");
    assertTrue(failures(result).stream().anyMatch(f -> f.rule().equals("P4")));
    assertTrue(
        result.cells().stream().anyMatch(c -> c.operator().equals("rmsnorm") && c.passes() > 0));
  }

  /// Under JUnit a method that makes tests asks for offers first.
  @Test
  void aMethodOfJUnitWaitsNoLonger() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<LinearPacker> linear(LinearSpec spec) {
            hang();
            return super.linear(spec);
          }
        };
    LinearConformance silent =
        new LinearConformance() {
          @Override
          protected KernelProvider provider() {
            return provider;
          }

          @Override
          protected Support support() {
            return Target.here(new ScalarProvider()).support();
          }
        };
    NoEndException e = assertThrows(NoEndException.class, silent::P18);
    assertTrue(e.getMessage().contains("TimeLimitsTest.hang"), e.getMessage());
  }

  @Test
  void aComparisonWaitsNoLonger() {
    Comparison comparison =
        CrossCheck.run(
            target(new ScalarProvider()),
            target(norm(x -> hang())),
            new Settings(5, 1, Optional.empty()),
            new Selection(Set.of("rmsnorm"), Set.of(), Set.of()),
            difference -> {});
    assertFalse(comparison.green());
    String broken = comparison.differences().getFirst().broken().orElseThrow();
    assertTrue(broken.contains("no end of the call"), broken);
  }

  @Test
  void patienceIsANumber() {
    for (String wrong : List.of("slow", "0", "-1", "NaN", "2000")) {
      System.setProperty(PATIENCE, wrong);
      assertEquals(
          PATIENCE + "=" + wrong + ", expected 0.001 to 1000",
          assertThrows(IllegalArgumentException.class, Settings::fromSystemProperties)
              .getMessage());
    }
  }
}
