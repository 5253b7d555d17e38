package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whose memory it is: each of these kernels does one thing with memory that it must not, and the
/// check that looks for it finds it.
class MemoryRulesTest {
  private static final Support SUPPORT = Support.of(new ScalarProvider());

  /// @param check that must find it: `P8_inputs_unchanged`
  /// @param sentence what is wrong
  private record Fault(
      String check, String operator, String subject, String sentence, KernelProvider provider) {
    @Override
    public String toString() {
      return check + ": " + sentence;
    }
  }

  static List<Fault> faults() {
    return List.of(
        linear("P8_inputs_unchanged", "x is scaled in place and back", MemoryRulesTest::scalesX),
        linear(
            "P8_inputs_unchanged",
            "x gets what it has, by native code",
            (right, x, y, w) -> {
              MemorySegment alias = alias(x.data());
              alias.set(JAVA_FLOAT, 0, x.get(0, 0));
              right.apply(x, y, w);
            }),
        packing(
            "P8_inputs_unchanged",
            "INT8_C",
            "the signs of weights are turned for packing and turned back",
            source -> {
              MemorySegment data = alias(source.getFirst().data());
              data.set(JAVA_BYTE, 0, (byte) -data.get(JAVA_BYTE, 0));
              data.set(JAVA_BYTE, 0, (byte) -data.get(JAVA_BYTE, 0));
            }),
        packing(
            "P8_inputs_unchanged",
            "Q4_0",
            "the last byte of the source is cleared once it was packed",
            source -> {
              MemorySegment data = alias(source.getLast().data());
              data.set(JAVA_BYTE, data.byteSize() - 1, (byte) 0);
            }),
        rmsNorm(
            "P8_inputs_unchanged",
            "the norm's weight is a sum while rows are taken",
            (right, x, weight, y, w) -> {
              MemorySegment alias = alias(weight.data());
              float first = weight.get(0, 0);
              alias.set(JAVA_FLOAT, 0, first + 1);
              alias.set(JAVA_FLOAT, 0, first);
              right.apply(x, weight, y, w);
            }),
        packer("P16_nowhere_else", "a copy on the heap, and room allocated for show", Copies.HEAP),
        byAddress(),
        packer("P16_nowhere_else", "the first matrix is kept in an arena", Copies.FIRST_ELSEWHERE),
        packer("P16_nowhere_else", "retains the source, and reads a copy", Copies.BESIDE_SOURCE),
        packer("P16_source_released", "the source is read in the first call", Copies.FIRST_CALL),
        packer("P16_large_weights", "large planes are copied to an arena", Copies.LARGE_ELSEWHERE),
        packing(
            "P8_large_source",
            "Q5_K",
            "the last byte of a large source is cleared",
            source -> {
              MemorySegment data = alias(source.getLast().data());
              if (data.byteSize() > 50_000) {
                data.set(JAVA_BYTE, data.byteSize() - 1, (byte) 0);
              }
            }),
        linear(
            "P7_large_operands",
            "where rows are many, the last of x is changed and put back",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (x.rows() > 300) {
                long at = x.offsetBytes(x.rows() - 1, 0);
                alias(x.data()).set(JAVA_FLOAT, at, x.get(x.rows() - 1, 0));
              }
            }),
        packer("P16_source_released", "the last plane is read in the source", Copies.LAST_SHARED),
        linear(
            "P10_more_scratch",
            "the end of scratch is a buffer",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              long bytes = w.scratch().byteSize();
              if (bytes >= 64) {
                w.scratch().asSlice(bytes - 64).fill((byte) 0);
              }
            }),
        linear(
            "P10_more_scratch",
            "where there is much scratch, another way is taken",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (w.scratch().byteSize() > 1 << 19) {
                y.set(0, 0, y.get(0, 0) + 1000);
              }
            }),
        scratch(
            "none for more workers than a hundred",
            (rows, workers) -> workers > 100 ? 0 : 4096L * rows),
        linear(
            "P10_scratch",
            "the ninth worker and those after it have scratch behind what was asked for",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (w.workers().parallelism() > 8 && w.scratch().byteSize() > 0) {
                MemorySegment behind =
                    MemorySegment.ofAddress(w.scratch().address() + w.scratch().byteSize());
                unbounded(behind).set(JAVA_FLOAT, 0, 0f);
              }
            }),
        scratch("bytes of rows in an int", (rows, workers) -> rows * 4 * 8192),
        scratch(
            "rows are rounded, and the wrong way",
            (rows, workers) -> rows == 33 ? 64L * 31 : 64L * rows),
        linear(
            "P7_wide_strides",
            "a row's end is cleared up to a page, and put back",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (y.rows() > 1 && y.rowStrideFloats() - y.columns() > 40) {
                long at = 4L * (y.columns() + 30);
                float held = y.data().get(JAVA_FLOAT, at);
                y.data().set(JAVA_FLOAT, at, 0f);
                w.workers().run(1, (task, worker) -> {});
                y.data().set(JAVA_FLOAT, at, held);
              }
            }),
        linear(
            "P7_wide_strides",
            "strides of a page or more are taken for a page",
            (right, x, y, w) -> {
              int stride = Math.clamp(1024, x.columns(), x.rowStrideFloats());
              right.apply(new F32Matrix(x.data(), x.rows(), x.columns(), stride), y, w);
            }),
        linear(
            "P7_one_buffer",
            "y ends where its memory does",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              long last = y.data().byteSize() - 4;
              if (last > y.offsetBytes(y.rows() - 1, y.columns() - 1)) {
                y.data().set(JAVA_FLOAT, last, 0f);
              }
            }),
        swiGlu(
            "P7_wide_strides",
            "gaps are computed like the columns before them",
            (right, gate, up, y, w) -> {
              right.apply(gate, up, y, w);
              if (y.rows() > 1 && y.rowStrideFloats() > y.columns()) {
                long at = 4L * y.columns();
                float g =
                    gate.data().get(JAVA_FLOAT, gate.rowStrideFloats() > y.columns() ? at : 0);
                y.data().set(JAVA_FLOAT, at, g * y.get(0, 0));
              }
            }),
        swiGlu(
            "S4_one_input",
            "where gate is up, it is read after y was written",
            (right, gate, up, y, w) -> {
              right.apply(gate, up, y, w);
              if (gate.data().address() == up.data().address()) {
                y.set(0, 0, 2 * y.get(0, 0) + 1);
              }
            }),
        swiGlu(
            "P7_one_buffer",
            "gate and up in one buffer, rows taken together",
            (right, gate, up, y, w) -> {
              right.apply(gate, up, y, w);
              long apart = (up.data().address() - gate.data().address()) / Float.BYTES;
              if (gate.rows() > 1 && apart > 0 && apart < gate.rowStrideFloats()) {
                y.set(0, 0, y.get(1, 0));
              }
            }),
        held(
            "what y held is not added where it is NaN", before -> Float.isNaN(before) ? 0 : before),
        held("an infinity in y becomes NaN", before -> before - before == 0 ? before : Float.NaN),
        held("what y held is clamped", before -> Math.clamp(before, -1e30f, 1e30f)),
        new Fault(
            "L5_what_wide_y_held",
            "linear",
            "Q8_0",
            "a wide y passes a maximum with 0 before it is added to",
            new WrappedProvider() {
              @Override
              public Offer<LinearPacker> linear(LinearSpec spec) {
                return broken(
                    super.linear(spec),
                    (right, x, y, w) -> {
                      int last = y.columns() - 1;
                      if (last > 5000 && spec.accumulate() && Float.isNaN(y.get(0, last))) {
                        y.set(0, last, 0);
                      }
                      if (last > 5000 && spec.accumulate() && y.get(0, last) < -1e8f) {
                        y.set(0, last, -1e8f);
                      }
                      right.apply(x, y, w);
                    });
              }
            }),
        linear(
            "P9_ignores_what_was_there",
            "a flag of 1 in scratch says that rows are there already",
            (right, x, y, w) -> {
              boolean flag =
                  w.scratch().byteSize() > 4 && w.scratch().get(JAVA_FLOAT, 0) == 1.4e-45f;
              right.apply(x, y, w);
              if (flag) {
                y.set(0, 0, y.get(0, 0) + 1000);
              }
            }),
        linear(
            "P14_large_calls",
            "long rows are copied to the heap",
            (right, x, y, w) -> {
              right.apply(x, y, w);
              if (x.columns() > 8000) {
                float[] copy = x.data().toArray(JAVA_FLOAT);
                y.set(0, 0, y.get(0, 0) + 0 * copy[copy.length - 1]);
              }
            }),
        packer("L2_many_matrices", "the fifth of several matrices is the fourth", Copies.FIFTH),
        packer("L2_many_matrices", "a matrix that is there twice is packed once", Copies.ONCE));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void theCheckFindsTheFault(Fault fault) {
    List<CellResult> cells = cells(fault, OneCheck.untilItFails(fault.check()));
    Failure failure =
        cells.stream()
            .filter(c -> (c.rule() + "_" + c.name()).equals(fault.check()))
            .flatMap(c -> c.firstFailure().stream())
            .findFirst()
            .orElseThrow(() -> new AssertionError(fault + " survived"));
    Settings replay = new Settings(20, 1, Optional.of(failure.replay()));
    Target broken = target(fault.provider());
    assertTrue(
        Suite.run(broken, replay, Selection.all(), c -> {}).failures() > 0, failure.message());
    assertEquals(
        0,
        Suite.run(target(new ScalarProvider()), replay, Selection.all(), c -> {}).failures(),
        failure.message());
  }

  private static List<CellResult> cells(Fault fault, Plan plan) {
    String rule = fault.check().substring(0, fault.check().indexOf('_'));
    return Suite.run(
            target(fault.provider()),
            new Settings(20, 1, Optional.empty()),
            new Selection(Set.of(fault.operator()), Set.of(fault.subject()), Set.of(rule)),
            plan,
            cell -> {})
        .cells();
  }

  /// Kernels that copy their weights as they should are right, and not skipped.
  @Test
  void aPackerThatKeepsTheRulesPasses() {
    Fault none = packer("P16_nowhere_else", "nothing", Copies.RIGHT);
    List<CellResult> cells = cells(none, Plan.suite());
    assertEquals(0, cells.stream().mapToInt(CellResult::failures).sum());
    for (String name : List.of("nowhere_else", "source_released")) {
      assertTrue(
          cells.stream().filter(c -> c.name().equals(name)).mapToInt(CellResult::passes).sum() > 9,
          name);
    }
  }

  private static Target target(KernelProvider provider) {
    return new Target(provider, KernelOptions.fromSystem().providersPlatform(), SUPPORT);
  }

  /// The same memory, as native code sees it.
  @SuppressWarnings("restricted")
  private static MemorySegment alias(MemorySegment segment) {
    return MemorySegment.ofAddress(segment.address()).reinterpret(segment.byteSize());
  }

  @SuppressWarnings("restricted")
  private static MemorySegment unbounded(MemorySegment segment) {
    return segment.reinterpret(Float.BYTES);
  }

  private static Fault linear(String check, String sentence, WrappedProvider.LinearFault fault) {
    return new Fault(check, "linear", "Q8_0", sentence, WrappedProvider.linear(fault));
  }

  private static void scalesX(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment alias = alias(x.data());
    float first = x.get(0, 0);
    alias.set(JAVA_FLOAT, 0, 2 * first);
    w.workers().run(1, (task, worker) -> {});
    alias.set(JAVA_FLOAT, 0, first);
    right.apply(x, y, w);
  }

  /// Scratch bytes other than the kernel's own, which are added to what it needs.
  private interface ScratchFault {
    long bytes(int rows, int workers);
  }

  private static Fault scratch(String sentence, ScratchFault fault) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(
                super.swiGlu(spec),
                right ->
                    new SwiGluKernel() {
                      @Override
                      public long scratchBytes(int rows, int parallelism) {
                        return fault.bytes(rows, parallelism);
                      }

                      @Override
                      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
                        right.apply(gate, up, y, w);
                      }
                    });
          }
        };
    return new Fault("P10_scratch", "swiglu", "F32", sentence, provider);
  }

  private interface SwiGluFault {
    void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w);
  }

  private static Fault swiGlu(String check, String sentence, SwiGluFault fault) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(
                super.swiGlu(spec),
                right ->
                    new SwiGluKernel() {
                      @Override
                      public long scratchBytes(int rows, int parallelism) {
                        return right.scratchBytes(rows, parallelism);
                      }

                      @Override
                      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
                        fault.apply(right, gate, up, y, w);
                      }
                    });
          }
        };
    return new Fault(check, "swiglu", "F32", sentence, provider);
  }

  private interface RmsNormFault {
    void apply(RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w);
  }

  private static Fault rmsNorm(String check, String sentence, RmsNormFault fault) {
    KernelProvider provider =
        new WrappedProvider() {
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
                        fault.apply(right, x, weight, y, w);
                      }
                    });
          }
        };
    return new Fault(check, "rmsnorm", "F32", sentence, provider);
  }

  private interface Held {
    float of(float before);
  }

  /// What is added to in place of what y held, where the spec accumulates.
  private static Fault held(String sentence, Held held) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<LinearPacker> linear(LinearSpec spec) {
            return broken(
                super.linear(spec),
                (right, x, y, w) -> {
                  for (int r = 0; spec.accumulate() && r < y.rows(); r++) {
                    for (int c = 0; c < y.columns(); c++) {
                      y.set(r, c, held.of(y.get(r, c)));
                    }
                  }
                  right.apply(x, y, w);
                });
          }
        };
    return new Fault("L5_what_y_held", "linear", "F32", sentence, provider);
  }

  private interface PackFault {
    void touch(List<WeightMatrix> source);
  }

  /// A packer that does something with its source first.
  private static Fault packing(String check, String subject, String sentence, PackFault fault) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<LinearPacker> linear(LinearSpec spec) {
            return map(
                super.linear(spec),
                packer ->
                    (stacked, packed, workers) -> {
                      fault.touch(stacked);
                      return packer.pack(stacked, packed, workers);
                    });
          }
        };
    return new Fault(check, "linear", subject, sentence, provider);
  }

  /// Remembers what it packed last, by the address of the source.
  private static Fault byAddress() {
    record Last(LinearSpec spec, MemorySegment source, LinearKernel kernel) {
      boolean isOf(LinearSpec other, MemorySegment address) {
        return spec.equals(other) && source.equals(address) && source.scope().isAlive();
      }
    }
    AtomicReference<Last> last = new AtomicReference<>();
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<LinearPacker> linear(LinearSpec spec) {
            return map(
                super.linear(spec),
                packer ->
                    (stacked, packed, workers) -> {
                      MemorySegment source = stacked.getFirst().data();
                      if (last.get() == null || !last.get().isOf(spec, source)) {
                        CopyingPacker right = new CopyingPacker(packer, Copies.RIGHT);
                        LinearKernel kernel = right.pack(stacked, packed, workers);
                        last.set(new Last(spec, source, kernel));
                      }
                      return last.get().kernel();
                    });
          }
        };
    return new Fault(
        "P16_nowhere_else",
        "linear",
        "INT8_C",
        "what was packed from an address is not packed again",
        provider);
  }

  private static Fault packer(String check, String sentence, Copies copies) {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<LinearPacker> linear(LinearSpec spec) {
            return map(super.linear(spec), packer -> new CopyingPacker(packer, copies));
          }
        };
    return new Fault(check, "linear", "INT8_C", sentence, provider);
  }

  /// Where a packer copies its weights to.
  private enum Copies {
    RIGHT,
    HEAP,
    FIRST_ELSEWHERE,
    BESIDE_SOURCE,
    LARGE_ELSEWHERE,
    FIRST_CALL,
    LAST_SHARED,
    FIFTH,
    ONCE
  }

  /// Gives the scalar provider copies of the weights.
  private record CopyingPacker(LinearPacker packer, Copies copies) implements LinearPacker {
    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      boolean retains = copies == Copies.BESIDE_SOURCE;
      List<WeightMatrix> mine = new ArrayList<>();
      Set<Long> seen = new HashSet<>();
      for (int i = 0; i < stacked.size(); i++) {
        WeightMatrix m = stacked.get(i);
        boolean elsewhere =
            retains
                || copies == Copies.HEAP
                || i == 0 && copies == Copies.FIRST_ELSEWHERE
                || m.data().byteSize() > 1 << 20 && copies == Copies.LARGE_ELSEWHERE;
        SegmentAllocator where = elsewhere ? Arena.ofAuto() : packed;
        MemorySegment data = where.allocate(m.data().byteSize(), 64).copyFrom(m.data());
        MemorySegment scales = where.allocate(m.scales().byteSize(), 64).copyFrom(m.scales());
        if (elsewhere && !retains) {
          packed.allocate(m.data().byteSize(), 64);
        }
        if (copies == Copies.LAST_SHARED && i == stacked.size() - 1) {
          scales = m.scales();
        }
        WeightMatrix copy = new WeightMatrix(m.format(), data, scales, m.outputs(), m.inputs());
        if (i == 4 && copies == Copies.FIFTH && mine.get(3).outputs() == m.outputs()) {
          copy = mine.get(3);
        } else if (copies == Copies.ONCE && !seen.add(m.data().address())) {
          data.fill((byte) 0);
        }
        mine.add(copy);
      }
      LinearKernel right = packer.pack(mine, packed, workers);
      boolean[] called = {copies != Copies.FIRST_CALL};
      return new LinearKernel() {
        @Override
        public boolean retainsSource() {
          return retains;
        }

        @Override
        public long scratchBytes(int rows, int parallelism) {
          return right.scratchBytes(rows, parallelism);
        }

        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          for (int i = 0; !called[0] && i < mine.size(); i++) {
            mine.get(i).data().copyFrom(stacked.get(i).data());
          }
          called[0] = true;
          right.apply(x, y, w);
        }
      };
    }
  }
}
