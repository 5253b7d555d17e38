package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Kernels that remember what they must not: each of these providers is the scalar one but for
/// that, and the check named beside it notices.
class RememberingKernelsTest {
  private static final Support SUPPORT = Support.of(new ScalarProvider());

  /// @param what it remembers
  /// @param check that notices: `P12_soak`
  record Fault(
      String what,
      String operator,
      String subject,
      String check,
      Supplier<KernelProvider> provider) {
    /// Few where that is enough to see it.
    int tries() {
      return Set.of("P12_long_soak", "P12_many_kernels").contains(check) ? 20 : 5;
    }

    @Override
    public String toString() {
      return operator + ": " + what;
    }
  }

  static Stream<Fault> faults() {
    return Stream.of(packers(), linear(), attention(), others()).flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void theCheckFindsTheFault(Fault fault) {
    Plan one = OneCheck.untilItFails(fault.check);
    Map<String, Failure> failed = failed(fault, Optional.empty(), one);
    assertTrue(failed.containsKey(fault.check), () -> "failed: " + failed.keySet());
    Optional<String> replay = Optional.of(failed.get(fault.check).replay());
    assertEquals(Set.of(fault.check), failed(fault, replay, one).keySet());
    Fault none = new Fault("", fault.operator, "", fault.check, ScalarProvider::new);
    assertEquals(Map.of(), failed(none, replay, one));
  }

  /// A build has no other run of the long soak; the other checks are in that of the suite, too, on
  /// fewer cases.
  @Test
  void theScalarProviderRemembersNothing() {
    Plan plan =
        LeftOut.full(getClass(), "all but the long soak on the scalar provider")
            ? Plan.suite()
            : OneCheck.only("P12_long_soak");
    for (String subject : List.of("F32", "Q6_K", "F16", "adjacent")) {
      Fault none = new Fault("", "", subject, "P12_long_soak", ScalarProvider::new);
      assertEquals(Map.of(), failed(none, Optional.empty(), plan));
    }
  }

  /// The checks of rules P12, P15 and P18 that fail with a new provider, of those that are planned,
  /// and what failed first.
  private static Map<String, Failure> failed(Fault fault, Optional<String> replay, Plan plan) {
    Set<String> operators =
        fault.operator.isEmpty() ? Set.copyOf(Suite.operators()) : Set.of(fault.operator);
    return Suite.run(
            new Target(fault.provider.get(), Target.here(new ScalarProvider()).platform(), SUPPORT),
            new Settings(fault.tries(), 1, replay),
            new Selection(operators, Set.of(fault.subject), Set.of("P12", "P15", "P18")),
            plan,
            cell -> {})
        .cells()
        .stream()
        .filter(c -> c.firstFailure().isPresent())
        .collect(
            Collectors.toMap(
                CellResult::testName, c -> c.firstFailure().orElseThrow(), (first, next) -> first));
  }

  // What packers remember.

  /// What becomes of a packer.
  private interface Pack {
    LinearKernel pack(
        LinearPacker right, List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers);
  }

  /// @param fault makes what a packer does, for each offer
  private static KernelProvider packing(Function<LinearSpec, Pack> fault) {
    return new WrappedProvider() {
      @Override
      public Offer<LinearPacker> linear(LinearSpec spec) {
        Pack pack = fault.apply(spec);
        return map(
            super.linear(spec),
            right -> (stacked, packed, workers) -> pack.pack(right, stacked, packed, workers));
      }
    };
  }

  private static List<Fault> packers() {
    return List.of(
        packer(
            "the first matrices of each packer",
            "P12_one_packer",
            () ->
                packing(spec -> {
                  List<LinearKernel> first = new ArrayList<>();
                  return (right, stacked, packed, workers) -> {
                    if (first.isEmpty()) {
                      first.add(right.pack(copy(stacked), packed, workers));
                    }
                    return first.getFirst();
                  };
                })),
        shared(
            "kernels of long rows by spec",
            "P12_large_packer",
            (spec, source) -> spec.inputs() > 10_000 ? spec : List.of(spec, content(source, 1))),
        shared("kernels by spec", "P12_kernels_of_one_spec", (spec, source) -> spec),
        shared(
            "kernels by shape and weights, not by whether they add",
            "P12_kernels_of_other_specs",
            (spec, source) ->
                List.of(spec.weights(), spec.outputs(), spec.inputs(), content(source, 1))),
        shared(
            "kernels by the address of their weights",
            "P12_one_packer",
            (spec, source) -> List.of(spec, source.address())),
        shared(
            "kernels by the first half of their weights",
            "P12_one_packer",
            (spec, source) -> List.of(spec, content(source, 2))),
        packer(
            "128 kernels and no more",
            "P12_many_kernels",
            () -> {
              Map<LinearSpec, List<LinearKernel>> kernels = new HashMap<>();
              return packing(spec ->
                  (right, stacked, packed, workers) -> {
                    List<LinearKernel> table =
                        kernels.computeIfAbsent(spec, s -> new ArrayList<>());
                    table.add(right.pack(copy(stacked), packed, workers));
                    return table.get((table.size() - 1) % 128);
                  });
            }));
  }

  private static Fault packer(String what, String check, Supplier<KernelProvider> provider) {
    return new Fault(what, "linear", "Q4_0", check, provider);
  }

  /// A provider that packs once for each key, which it makes of the spec and the first matrix.
  private static Fault shared(
      String what, String check, BiFunction<LinearSpec, MemorySegment, Object> key) {
    return packer(
        what,
        check,
        () -> {
          Map<Object, LinearKernel> kernels = new HashMap<>();
          return packing(spec ->
              (right, stacked, packed, workers) ->
                  kernels.computeIfAbsent(
                      key.apply(spec, stacked.getFirst().data()),
                      k -> right.pack(copy(stacked), packed, workers)));
        });
  }

  /// The first part of a segment, as something that can be compared.
  private static Object content(MemorySegment segment, int part) {
    return Arrays.hashCode(segment.asSlice(0, segment.byteSize() / part).toArray(JAVA_BYTE));
  }

  private static List<WeightMatrix> copy(List<WeightMatrix> stacked) {
    return stacked.stream()
        .map(m -> new WeightMatrix(m.format(), copy(m.data()), m.scales(), m.outputs(), m.inputs()))
        .toList();
  }

  private static MemorySegment copy(MemorySegment segment) {
    return Arena.ofAuto().allocate(segment.byteSize(), 64).copyFrom(segment);
  }

  private static F32Matrix copy(F32Matrix m) {
    return new F32Matrix(copy(m.data()), m.rows(), m.columns(), m.rowStrideFloats());
  }

  // What linear kernels remember.

  private static List<Fault> linear() {
    return List.of(
        calls("x by its address", "P12_same_addresses", () -> seen((x, w) -> x.data().address())),
        calls(
            "x by its address and first half",
            "P12_same_addresses",
            () -> seen((x, w) -> List.of(x.data().address(), content(x.data(), 2)))),
        calls(
            "x by its address and both ends",
            "P12_same_addresses",
            () ->
                seen((x, w) ->
                    List.of(
                        x.data().address(), x.get(0, 0), x.get(x.rows() - 1, x.columns() - 1)))),
        calls(
            "x by the scratch of its call",
            "P12_same_addresses",
            () -> seen((x, w) -> w.scratch().address())),
        calls(
            "long rows by their address",
            "P12_large_kernels",
            () ->
                seen((x, w) ->
                    List.of(x.data().address(), x.columns() > 10_000 ? 0 : content(x.data(), 1)))),
        calls(
            "that a NaN was seen",
            "P12_same_addresses",
            () -> {
              boolean[] nan = new boolean[1];
              return (right, x, y, w) -> {
                right.apply(x, y, w);
                nan[0] |= Float.isNaN(y.get(0, 0));
                y.set(0, 0, nan[0] ? Float.NaN : y.get(0, 0));
              };
            }),
        calls("100 calls", "P12_soak", () -> after(100)),
        calls("10,000 calls", "P12_long_soak", () -> after(10_000)),
        calls("65,536 calls", "P12_long_soak", () -> after(0x10000)),
        calls("the kernel that each thread called first", "P12_kernels_of_one_spec", threadLocal()),
        calls(
            "x of the call before, by reference",
            "P15_moved",
            () -> {
              List<F32Matrix> before = new ArrayList<>();
              return (right, x, y, w) -> {
                before.add(x);
                F32Matrix last = before.size() > 1 ? before.removeFirst() : x;
                boolean same = last.rows() == x.rows() && last.get(0, 0) == x.get(0, 0);
                right.apply(same ? last : x, y, w);
              };
            }),
        calls(
            "the rows of its first call",
            "P15_moved",
            () -> {
              int[] most = new int[1];
              return (right, x, y, w) -> {
                most[0] = most[0] == 0 ? x.rows() : most[0];
                int rows = Math.min(most[0], x.rows());
                right.apply(x.rowRange(0, rows), y.rowRange(0, rows), w);
              };
            }),
        calls(
            "the workers of its first call",
            "P15_moved",
            () -> {
              int[] most = new int[1];
              return (right, x, y, w) -> {
                most[0] = most[0] == 0 ? w.workers().parallelism() : most[0];
                right.apply(x, y, w);
                if (w.workers().parallelism() > most[0]) {
                  y.set(0, 0, 0);
                }
              };
            }),
        calls(
            "x of a call that failed",
            "P18_after_a_failure",
            () -> {
              F32Matrix[] failed = new F32Matrix[1];
              return (right, x, y, w) -> {
                F32Matrix unfinished = failed[0];
                failed[0] = copy(x);
                boolean resumes = unfinished != null && unfinished.rows() == x.rows();
                right.apply(resumes ? unfinished : x, y, w);
                failed[0] = null;
              };
            }));
  }

  /// @param fault makes what is wrong, for each kernel
  private static Fault calls(
      String what, String check, Supplier<WrappedProvider.LinearFault> fault) {
    return new Fault(
        what,
        "linear",
        "Q8_0",
        check,
        () ->
            packing(spec ->
                (right, stacked, packed, workers) -> {
                  LinearKernel kernel = right.pack(stacked, packed, workers);
                  WrappedProvider.LinearFault wrong = fault.get();
                  return WrappedProvider.broken(kernel, wrong);
                }));
  }

  /// The call of a key is made with the x that was there at the key's first call.
  private static WrappedProvider.LinearFault seen(BiFunction<F32Matrix, Workspace, Object> key) {
    Map<Object, F32Matrix> seen = new HashMap<>();
    return (right, x, y, w) -> {
      Object k = List.of(key.apply(x, w), x.rows(), x.rowStrideFloats());
      right.apply(seen.computeIfAbsent(k, n -> copy(x)), y, w);
    };
  }

  private static WrappedProvider.LinearFault after(int calls) {
    AtomicInteger count = new AtomicInteger();
    return (right, x, y, w) -> {
      right.apply(x, y, w);
      if (count.incrementAndGet() > calls) {
        y.set(0, 0, y.get(0, 0) + 1);
      }
    };
  }

  private static Supplier<WrappedProvider.LinearFault> threadLocal() {
    ThreadLocal<Map<Object, LinearKernel>> first = ThreadLocal.withInitial(HashMap::new);
    return () ->
        (right, x, y, w) -> {
          // No spec is known here; a kernel whose memory is gone is of an earlier case.
          Object shape = List.of(x.columns(), y.columns(), y.rows());
          LinearKernel kernel = first.get().computeIfAbsent(shape, s -> right);
          try {
            kernel.apply(x, y, w);
          } catch (IllegalStateException e) {
            first.get().put(shape, right);
            right.apply(x, y, w);
          }
        };
  }

  // What attention kernels remember.

  private static List<Fault> attention() {
    return List.of(
        attends(
            "the cache's keys by their address",
            "P12_same_addresses",
            () -> {
              Map<Object, MemorySegment> keys = new HashMap<>();
              return cache ->
                  keys.computeIfAbsent(
                      List.of(cache.keys().address(), cache.capacity()), k -> copy(cache.keys()));
            }),
        attends(
            "the cache's first position",
            "P12_sessions",
            () -> {
              Map<Object, MemorySegment> keys = new HashMap<>();
              return cache ->
                  keys.computeIfAbsent(
                      List.of(cache.keys().address(), cache.capacity(), content(cache.keys(), 2)),
                      k -> copy(cache.keys()));
            }),
        attends(
            "the first half of long caches",
            "P12_large_sessions",
            () -> {
              Map<Object, MemorySegment> keys = new HashMap<>();
              return cache ->
                  keys.computeIfAbsent(
                      List.of(
                          cache.keys().address(),
                          cache.capacity(),
                          content(cache.keys(), cache.capacity() > 2_000 ? 2 : 1)),
                      k -> copy(cache.keys()));
            }),
        new Fault(
            "where it appended last",
            "attention",
            "F32",
            "P12_sessions",
            () ->
                new WrappedProvider() {
                  @Override
                  public Offer<AttentionKernel> attention(AttentionSpec spec) {
                    return map(super.attention(spec), LastAppended::new);
                  }
                }));
  }

  private static Fault attends(
      String what, String check, Supplier<Function<KvCache, MemorySegment>> keys) {
    return new Fault(
        what,
        "attention",
        "F16",
        check,
        () ->
            new WrappedProvider() {
              @Override
              public Offer<AttentionKernel> attention(AttentionSpec spec) {
                return map(super.attention(spec), right -> new OtherKeys(right, keys.get()));
              }
            });
  }

  /// Attends to keys that it has from somewhere else.
  private record OtherKeys(AttentionKernel right, Function<KvCache, MemorySegment> keys)
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
    public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
      KvCache other = new KvCache(keys.apply(c), c.values(), c.format(), c.capacity());
      right.apply(q, other, firstPosition, y, w);
    }
  }

  /// Thinks that positions before the last one that it appended are a session's past.
  private static final class LastAppended implements AttentionKernel {
    private final AttentionKernel right;
    private int last = Integer.MAX_VALUE;

    LastAppended(AttentionKernel right) {
      this.right = right;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
      last = position + k.rows() - 1;
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {
      right.apply(q, cache, Math.min(firstPosition, last), y, w);
    }
  }

  // What the others remember.

  private static List<Fault> others() {
    return List.of(
        norm(
            "the weight of the first call",
            "P12_same_addresses",
            spec -> {
              F32Matrix[] first = new F32Matrix[1];
              return weight -> first[0] = first[0] == null ? copy(weight) : first[0];
            }),
        norm(
            "the weight by its address",
            "P12_same_addresses",
            spec -> {
              Map<Long, F32Matrix> seen = new HashMap<>();
              return weight -> seen.computeIfAbsent(weight.data().address(), a -> copy(weight));
            }),
        new Fault(
            "kernels by width",
            "rmsnorm",
            "F32",
            "P12_kernels_of_other_specs",
            () -> {
              Map<Integer, Offer<RmsNormKernel>> kernels = new HashMap<>();
              return new WrappedProvider() {
                @Override
                public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
                  return kernels.computeIfAbsent(spec.width(), width -> super.rmsNorm(spec));
                }
              };
            }),
        new Fault(
            "the table of the first call",
            "rope",
            "adjacent",
            "P12_same_addresses",
            () ->
                new WrappedProvider() {
                  @Override
                  public Offer<RopeKernel> rope(RopeSpec spec) {
                    return map(super.rope(spec), FirstTable::new);
                  }
                }),
        new Fault(
            "gate by its address",
            "swiglu",
            "F32",
            "P12_same_addresses",
            () ->
                new WrappedProvider() {
                  @Override
                  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
                    return map(super.swiGlu(spec), FirstGate::new);
                  }
                }));
  }

  private static Fault norm(
      String what, String check, Function<RmsNormSpec, Function<F32Matrix, F32Matrix>> weight) {
    return new Fault(
        what,
        "rmsnorm",
        "F32",
        check,
        () ->
            new WrappedProvider() {
              @Override
              public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
                return map(
                    super.rmsNorm(spec), right -> new OtherWeight(right, weight.apply(spec)));
              }
            });
  }

  private record OtherWeight(RmsNormKernel right, Function<F32Matrix, F32Matrix> weight)
      implements RmsNormKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix w, F32Matrix y, Workspace workspace) {
      right.apply(x, weight.apply(w), y, workspace);
    }
  }

  private static final class FirstTable implements RopeKernel {
    private final RopeKernel right;
    private F32Matrix first;

    FirstTable(RopeKernel right) {
      this.right = right;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
      boolean longer = first == null || first.rows() < table.rows();
      first = longer ? copy(table) : first;
      right.apply(x, first, firstPosition, w);
    }
  }

  private static final class FirstGate implements SwiGluKernel {
    private final SwiGluKernel right;
    private final Map<Object, F32Matrix> seen = new HashMap<>();

    FirstGate(SwiGluKernel right) {
      this.right = right;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      Object key = List.of(gate.data().address(), gate.rows(), gate.rowStrideFloats());
      right.apply(seen.computeIfAbsent(key, k -> copy(gate)), up, y, w);
    }
  }
}
