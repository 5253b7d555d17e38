package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Kernels that are right as long as everything is small: `P5_model_sizes` finds each, names the
/// rule that it breaks, and shrinks it to where it begins, in seconds. No other rule finds one.
class ModelSizesTest {
  private static final Support SUPPORT = Support.of(new ScalarProvider());

  /// A kernel that goes wrong from some size on.
  ///
  /// @param subject a word of the subject's label
  /// @param broken the rule that the failure must name
  /// @param shrunk what the smallest case must contain
  record Fault(
      String name,
      String operator,
      String subject,
      String broken,
      String shrunk,
      KernelProvider provider) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Fault> faults() {
    return Stream.of(linear(), attention(), others()).flatMap(s -> s);
  }

  /// All, or one of each rule that is broken.
  static List<Fault> tried() {
    Map<String, Fault> byRule = new LinkedHashMap<>();
    faults().forEach(f -> byRule.putIfAbsent(f.broken, f));
    return LeftOut.some(
        ModelSizesTest.class,
        Asked.FULL,
        "faults",
        faults().toList(),
        List.copyOf(byRule.values()));
  }

  private static Stream<Fault> attention() {
    return Stream.of(
        attention(
            "the last position is not seen beyond 100,000",
            "A6",
            "kvHeads=1,group=1,headDim=2,rows=1,firstPosition=100000,",
            (right, spec, q, cache, first, y, w) -> {
              for (int r = 0; r < q.rows(); r++) {
                int seen = Math.max(first + r - (first + r >= 100_000 ? 1 : 0), 0);
                right.apply(q.rowRange(r, r + 1), cache, seen, y.rowRange(r, r + 1), w);
              }
            }),
        attention(
            "beyond 32 KV heads the last head's are the first's",
            "A6",
            "kvHeads=33,group=1,headDim=2,rows=1,firstPosition=0,",
            (right, spec, q, cache, first, y, w) -> {
              right.apply(q, cache, first, y, w);
              if (spec.kvHeads() > 32) {
                y.set(0, y.columns() - 1, y.get(0, 1));
              }
            }));
  }

  private static Stream<Fault> linear() {
    return Stream.of(
        linear(
            "the last product is left out beyond 6,000 inputs",
            "F32",
            "L5",
            ",rows=1,outputs=1,inputs=6001,",
            (right, x, y, w) -> withoutLastInput(right, x, y, w, 6000)),
        linear(
            "the same of a format in blocks",
            "Q4_0",
            "L5",
            ",rows=1,outputs=1,inputs=6016,",
            (right, x, y, w) -> withoutLastInput(right, x, y, w, 6000)),
        linear(
            "rows from the 701st on are the 700th's",
            "Q8_0",
            "L5",
            ",rows=701,outputs=1,inputs=32,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              for (int r = 700; r < y.rows(); r++) {
                y.set(r, 0, y.get(699, 0));
              }
            }),
        linear(
            "outputs are numbered by 18 bits",
            "Q4_1",
            "L5",
            ",rows=1,outputs=262145,inputs=32,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              for (int o = 1 << 18; o < y.columns(); o++) {
                y.set(0, o, y.get(0, o & (1 << 18) - 1));
              }
            }),
        linear(
            "rows of a batch are a bit off beyond 512",
            "BF16",
            "L4",
            ",rows=513,outputs=1,inputs=1,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (y.rows() > 512) {
                y.set(1, 0, Math.nextUp(y.get(1, 0)));
              }
            }),
        linear(
            "x is changed beyond 20,000 inputs",
            "F16",
            "P8",
            "inputs=20001,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (x.columns() > 20_000) {
                x.set(0, 0, x.get(0, 0) + 1);
              }
            }),
        linear(
            "a float is written beyond a row of 2,000",
            "F32",
            "P7",
            "rows=2,outputs=2001,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (y.columns() > 2000 && y.rows() > 1 && y.rowStrideFloats() > y.columns()) {
                y.data().set(JAVA_FLOAT, 4L * y.columns(), 0f);
              }
            }),
        linear(
            "beyond 1,000 inputs a sum depends on the number of workers",
            "INT8_C",
            "P11",
            "inputs=1001,",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (x.columns() > 1000) {
                y.set(
                    0,
                    0,
                    Float.intBitsToFloat(
                        Float.floatToIntBits(y.get(0, 0)) ^ w.workers().parallelism() & 1));
              }
            }));
  }

  private static void withoutLastInput(
      LinearKernel right, F32Matrix x, F32Matrix y, Workspace w, int from) {
    if (x.columns() <= from) {
      right.apply(x, y, w);
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      F32Matrix copy = F32Matrix.allocate(arena, x.rows(), x.columns());
      for (int r = 0; r < x.rows(); r++) {
        for (int c = 0; c < x.columns() - 1; c++) {
          copy.set(r, c, x.get(r, c));
        }
      }
      right.apply(copy, y, w);
    }
  }

  private static Stream<Fault> others() {
    RmsNormFault norm =
        (right, x, weight, y, w) -> {
          float[] last = new float[x.rows()]; // x may be y
          for (int r = 0; r < x.rows(); r++) {
            last[r] = x.get(r, x.columns() - 1);
          }
          right.apply(x, weight, y, w);
          for (int r = 0; r < x.rows() && x.columns() > 30_000; r++) {
            double squares = 0;
            for (int c = 0; c < y.columns(); c++) {
              double value = y.get(r, c) / weight.get(0, c);
              squares += value * value;
            }
            double without =
                squares - Math.pow(y.get(r, y.columns() - 1) / weight.get(0, y.columns() - 1), 2);
            float factor = without <= 0 ? 1 : (float) Math.sqrt(squares / without);
            for (int c = 0; c < y.columns(); c++) {
              y.set(r, c, y.get(r, c) * factor);
            }
          }
        };
    return Stream.of(
        new Fault(
            "the last square is left out beyond 30,000",
            "rmsnorm",
            "F32",
            "N1",
            "width=30001,",
            new WrappedProvider() {
              @Override
              public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
                return map(super.rmsNorm(spec), right -> new BrokenNorm(right, norm));
              }
            }),
        new Fault(
            "positions are numbered by 16 bits",
            "rope",
            "adjacent",
            "R1",
            "firstPosition=65536,",
            new WrappedProvider() {
              @Override
              public Offer<RopeKernel> rope(RopeSpec spec) {
                return map(super.rope(spec), SixteenBits::new);
              }
            }),
        new Fault(
            "gates beyond the 20,000th are the first",
            "swiglu",
            "F32",
            "S1",
            "width=20001,",
            new WrappedProvider() {
              @Override
              public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
                return map(super.swiGlu(spec), FirstGates::new);
              }
            }));
  }

  private static Fault linear(
      String name,
      String subject,
      String broken,
      String shrunk,
      WrappedProvider.LinearFault fault) {
    return new Fault(name, "linear", subject, broken, shrunk, WrappedProvider.linear(fault));
  }

  private interface AttentionFault {
    void apply(
        AttentionKernel right,
        AttentionSpec spec,
        F32Matrix q,
        KvCache cache,
        int first,
        F32Matrix y,
        Workspace w);
  }

  private static Fault attention(String name, String broken, String shrunk, AttentionFault fault) {
    return new Fault(
        name,
        "attention",
        "F32",
        broken,
        shrunk,
        new WrappedProvider() {
          @Override
          public Offer<AttentionKernel> attention(AttentionSpec spec) {
            return map(super.attention(spec), right -> new BrokenAttention(right, spec, fault));
          }
        });
  }

  private record BrokenAttention(AttentionKernel right, AttentionSpec spec, AttentionFault fault)
      implements AttentionKernel {
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
      fault.apply(right, spec, q, cache, firstPosition, y, w);
    }
  }

  private interface RmsNormFault {
    void apply(RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w);
  }

  private record BrokenNorm(RmsNormKernel right, RmsNormFault fault) implements RmsNormKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      fault.apply(right, x, weight, y, w);
    }
  }

  private record SixteenBits(RopeKernel right) implements RopeKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
      for (int r = 0; r < x.rows(); r++) {
        right.apply(x.rowRange(r, r + 1), table, firstPosition + r & 0xffff, w);
      }
    }
  }

  private record FirstGates(SwiGluKernel right) implements SwiGluKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      right.apply(gate, up, y, w);
      for (int c = 20_000; c < y.columns(); c++) {
        y.set(0, c, y.get(0, 0));
      }
    }
  }

  private static Settings settings(Optional<String> replay) {
    return new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, replay);
  }

  private static Stream<CellResult> cells(
      Fault fault, KernelProvider provider, Optional<String> replay, Plan plan) {
    return Suite.run(
        new Target(provider, KernelOptions.fromSystem().providersPlatform(), SUPPORT),
        settings(replay),
        new Selection(Set.of(fault.operator), Set.of(fault.subject), Set.of("P5")),
        plan,
        cell -> {})
        .cells()
        .stream();
  }

  @ParameterizedTest
  @MethodSource("tried")
  void isFoundNamedAndShrunk(Fault fault) {
    List<CellResult> failed =
        cells(fault, fault.provider, Optional.empty(), OneCheck.untilOneFails())
            .filter(c -> c.failures() > 0)
            .toList();
    assertTrue(!failed.isEmpty(), "survived");
    for (CellResult cell : failed) {
      assertEquals("P5_model_sizes", cell.testName());
    }
    Failure failure =
        failed.stream().flatMap(c -> c.firstFailure().stream()).findFirst().orElseThrow();
    assertEquals(fault.broken, failure.rule(), failure.message());
    assertTrue(failure.message().contains(SpecText.of(fault.broken)), failure.message());
    assertTrue(failure.replay().startsWith("P5_model_sizes/"), failure.message());
    assertTrue(failure.replay().contains(fault.shrunk), failure.message());
    Optional<String> replay = Optional.of(failure.replay());
    Failure again =
        cells(fault, fault.provider, replay, Plan.suite())
            .flatMap(c -> c.firstFailure().stream())
            .findFirst()
            .orElseThrow();
    assertEquals(fault.broken, again.rule(), again.message());
    assertEquals(
        0,
        cells(fault, new ScalarProvider(), replay, Plan.suite())
            .mapToInt(CellResult::failures)
            .sum());
  }

  /// It has 12 seconds, so what is shrunk to the smallest took less.
  @Test
  void shrinksFromTheLargestSizes() {
    Fault fault = linear().findFirst().orElseThrow();
    List<Failure> failures =
        cells(fault, fault.provider, Optional.empty(), OneCheck.only("P5_model_sizes"))
            .flatMap(c -> c.firstFailure().stream())
            .toList();
    assertEquals(2, failures.size()); // exact-f32 and bf16
    for (Failure failure : failures) {
      assertTrue(failure.original().contains("inputs=36865"), failure.message());
      assertTrue(failure.replay().contains(fault.shrunk), failure.message());
    }
  }

  /// What a part of the tries leaves out is said by how many cases there are.
  @Test
  void fewTriesHaveFewLargeCases() {
    Fault fault = linear().findFirst().orElseThrow();
    int all = cases(fault, 20);
    int drawn = 2;
    assertEquals(Math.ceilDiv(all - drawn, 4) + 1, cases(fault, 5));
  }

  private static int cases(Fault fault, int tries) {
    return Suite.run(
            new Target(
                new ScalarProvider(), KernelOptions.fromSystem().providersPlatform(), SUPPORT),
            new Settings(tries, 1, Optional.empty()),
            new Selection(Set.of(fault.operator), Set.of("F32"), Set.of("P5")),
            OneCheck.only("P5_model_sizes"),
            cell -> {})
        .cells()
        .stream()
        .filter(c -> c.testName().equals("P5_model_sizes") && c.subject().endsWith("exact-f32"))
        .mapToInt(CellResult::tries)
        .sum();
  }
}
