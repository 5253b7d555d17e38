package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Rules can fail: each of these providers has one fault, and the rule that names it finds it.
class BrokenKernelsTest {
  private static final Support SUPPORT = Support.of(new ScalarProvider());

  /// The first failure of a rule; the case that it shrank to fails again when it is replayed, and
  /// the scalar provider passes it.
  private static Failure failure(
      KernelProvider provider, String operator, String subject, String rule) {
    Failure failure =
        failures(provider, operator, subject, rule, OneCheck.untilOneFails()).getFirst();
    assertEquals(rule, failure.rule());
    assertTrue(failure.message().contains(SpecText.of(rule)), failure.message());
    assertTrue(replayed(provider, failure).isPresent(), failure.message());
    assertTrue(replayed(new ScalarProvider(), failure).isEmpty(), failure.message());
    return failure;
  }

  private static List<Failure> failures(
      KernelProvider provider, String operator, String subject, String rule, Plan plan) {
    return Suite.run(
            new Target(provider, KernelOptions.fromSystem().providersPlatform(), SUPPORT),
            new Settings(20, 1, Optional.empty()),
            new Selection(Set.of(operator), Set.of(subject), Set.of(rule)),
            plan,
            cell -> {})
        .cells()
        .stream()
        .flatMap(c -> c.firstFailure().stream())
        .toList();
  }

  private static List<Failure> failures(
      KernelProvider provider, String operator, String subject, String rule) {
    return failures(provider, operator, subject, rule, Plan.suite());
  }

  private static Optional<Failure> replayed(KernelProvider provider, Failure failure) {
    SuiteResult result =
        Suite.run(
            new Target(provider, KernelOptions.fromSystem().providersPlatform(), SUPPORT),
            new Settings(20, 1, Optional.of(failure.replay())),
            Selection.all(),
            cell -> {});
    return result.cells().getFirst().firstFailure();
  }

  private static void copy(F32Matrix from, F32Matrix to) {
    for (int r = 0; r < from.rows(); r++) {
      for (int c = 0; c < from.columns(); c++) {
        to.set(r, c, from.get(r, c));
      }
    }
  }

  @Test
  void aFaultOfLongRowsShrinksToTheShortest() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          right.apply(x, y, w);
          if (x.columns() >= 96) {
            y.set(0, 0, y.get(0, 0) + 1000);
          }
        });
    for (String format : List.of("F32", "Q4_0")) {
      Failure failure = failure(provider, "linear", format, "L5");
      assertTrue(failure.replay().contains(",rows=1,outputs=1,inputs=96,"), failure.message());
    }
  }

  @Test
  void nanReplacedByZeroBreaksL10() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          try (var arena = Arena.ofShared()) {
            F32Matrix clean = F32Matrix.allocate(arena, x.rows(), x.columns());
            copy(x, clean);
            for (int r = 0; r < x.rows(); r++) {
              for (int c = 0; c < x.columns(); c++) {
                clean.set(r, c, Float.isFinite(x.get(r, c)) ? x.get(r, c) : 0);
              }
            }
            right.apply(clean, y, w);
          }
        });
    assertEquals("NaN", failure(provider, "linear", "Q8_0", "L10").outcome().expected());
    assertEquals(List.of(), failures(provider, "linear", "Q8_0", "L5"));
  }

  @Test
  void aWriteBetweenTwoRowsBreaksL3AndP7() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          right.apply(x, y, w);
          if (y.rows() > 1 && y.rowStrideFloats() > y.columns()) {
            y.data().set(JAVA_FLOAT, 4L * y.columns(), 0f);
          }
        });
    assertTrue(failure(provider, "linear", "F32", "L3").outcome().where().contains(" of y"));
    failure(provider, "linear", "F32", "P7");
    assertEquals(List.of(), failures(provider, "linear", "F32", "L5"));
  }

  @Test
  void aScratchThatOnceHeldZerosBreaksP9() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          float stale = w.scratch().byteSize() < 4 ? 0 : w.scratch().get(JAVA_FLOAT, 0);
          right.apply(x, y, w);
          y.set(0, 0, y.get(0, 0) + stale);
        });
    failure(provider, "linear", "Q4_K", "P9");
  }

  @Test
  void aSumThatDependsOnTheWorkersBreaksP11() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          right.apply(x, y, w);
          y.set(0, 0, Math.nextUp(y.get(0, 0) + w.workers().parallelism()));
        });
    failure(provider, "linear", "F16", "P11");
  }

  @Test
  void garbageInEachCallBreaksP14() {
    Failure failure = failure(WrappedProvider.linear(Garbage::make), "linear", "BF16", "P14");
    String actual = failure.outcome().actual();
    assertTrue(actual.contains("has no public constructor"), actual);
  }

  /// Among all the kernels that the suite runs C2 may compile one badly, so it is judged alone.
  @Test
  void garbageIsMeasuredAgainInAProcessOfItsOwn() {
    // Not failure(), which would replay it twice: each time takes seconds.
    Failure failure =
        failures(new Garbage(), "linear", "BF16", "P14", OneCheck.untilOneFails()).getFirst();
    String actual = failure.outcome().actual();
    assertTrue(actual.matches("\\d+ bytes, and \\d+ in a process of its own"), actual);
    GarbageAmongOthers.amongOthers = true;
    assertEquals(Optional.empty(), replayed(new GarbageAmongOthers(), failure));
  }

  /// Makes garbage in each call.
  public static final class Garbage extends WrappedProvider {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return broken(super.linear(spec), Garbage::make);
    }

    private static void make(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      right.apply(x, y, w);
      y.set(0, 0, y.get(0, 0) + new float[1000 * x.rows()].length * 0f);
      if (List.of(new float[2000], y).hashCode() == 42) {
        throw new IllegalStateException();
      }
    }
  }

  /// Makes garbage in this process, and in no other.
  public static final class GarbageAmongOthers extends WrappedProvider {
    private static boolean amongOthers;

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return amongOthers ? broken(super.linear(spec), Garbage::make) : super.linear(spec);
    }
  }

  @Test
  void aMaskOffByOneBreaksA1() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<AttentionKernel> attention(AttentionSpec spec) {
            return map(super.attention(spec), SeesOneMore::new);
          }
        };
    failure(provider, "attention", "F16", "A1");
    assertEquals(List.of(), failures(provider, "attention", "F16", "A3"));
  }

  /// Each row but the last sees the position after its own.
  private record SeesOneMore(AttentionKernel right) implements AttentionKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {
      int last = q.rows() - 1;
      if (last > 0) {
        right.apply(q.rowRange(0, last), cache, firstPosition + 1, y.rowRange(0, last), w);
      }
      right.apply(
          q.rowRange(last, last + 1), cache, firstPosition + last, y.rowRange(last, last + 1), w);
    }
  }

  @Test
  void theOtherPairingBreaksR2() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<RopeKernel> rope(RopeSpec spec) {
            return super.rope(new RopeSpec(spec.heads(), spec.headDim(), RopePairing.ADJACENT));
          }
        };
    failure(provider, "rope", "half-split", "R2");
    assertEquals(List.of(), failures(provider, "rope", "adjacent", "R2"));
  }

  @Test
  void anExpThatOverflowsBreaksS2() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(super.swiGlu(spec), right -> new Overflows());
          }
        };
    failure(provider, "swiglu", "F32", "S2");
  }

  /// `gate * e / (1 + e) * up` with `e = exp(gate)`, which is infinite for large gates.
  private record Overflows() implements SwiGluKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 0;
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      for (int r = 0; r < y.rows(); r++) {
        for (int c = 0; c < y.columns(); c++) {
          float e = (float) Math.exp(gate.get(r, c));
          y.set(r, c, gate.get(r, c) * e / (1 + e) * up.get(r, c));
        }
      }
    }
  }

  @Test
  void aSpecThatIsDeclaredAndDeclinedBreaksTheDeclaration() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return spec.width() < 64 ? super.swiGlu(spec) : Offer.declined("too wide");
          }
        };
    Failure failure = failure(provider, "swiglu", "F32", "support");
    assertTrue(failure.replay().contains("width=64,"), failure.message());
    assertTrue(failure.outcome().actual().contains("too wide"), failure.message());
  }

  @Test
  void nothingAcceptedIsNotGreen() {
    KernelProvider provider =
        new KernelProvider() {
          @Override
          public String name() {
            return "empty";
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
            return new Availability.Ready(new KernelSet() {}, "");
          }
        };
    SuiteResult result =
        Suite.run(
            new Target(
                provider,
                KernelOptions.fromSystem().providersPlatform(),
                Support.parse("empty.support", "")),
            new Settings(1, 1, Optional.empty()),
            Selection.all(),
            cell -> {});
    assertFalse(result.green());
    assertEquals(1, result.failures());
    assertTrue(result.skips() > 0);
  }

  /// A kernel is only as broken as it is: the one in the middle of these tests is right.
  @Test
  void theWrapperAloneBreaksNothing() {
    KernelProvider provider = WrappedProvider.linear(LinearKernel::apply);
    for (String rule : List.of("L3", "L5", "L10", "P7", "P9", "P11")) {
      assertEquals(List.of(), failures(provider, "linear", "Q4_1", rule));
    }
  }
}
