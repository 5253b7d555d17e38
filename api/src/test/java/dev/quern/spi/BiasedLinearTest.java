package dev.quern.spi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BiasedLinearTest {
  private static final int PAD = 3;

  private final Arena arena = Arena.ofAuto();
  private final List<LinearSpec> asked = new ArrayList<>();

  /// Adds 1000 to each element of y.
  private record AddsThousand() implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return true;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 7L * rows + parallelism;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      for (int r = 0; r < y.rows(); r++) {
        for (int o = 0; o < y.columns(); o++) {
          y.set(r, o, y.get(r, o) + 1000);
        }
      }
    }
  }

  private Offer<LinearPacker> offer(LinearSpec spec) {
    asked.add(spec);
    return Offer.accepted(
        (_, _, _) -> new AddsThousand(), new Variant("v", 1, Numerics.EXACT_F32, true));
  }

  /// The sizes at both sides of where the workers write the bias.
  @ParameterizedTest
  @ValueSource(ints = {5, 70_001})
  void eachRowGetsTheBiasOnce(int outputs) {
    for (boolean accumulate : new boolean[] {false, true}) {
      LinearSpec spec =
          LinearSpec.of(BlockFormat.F32, outputs, 4).withBias(true).withAccumulate(accumulate);
      asked.clear();
      var accepted = assertInstanceOf(Offer.Accepted.class, BiasedLinear.offer(spec, this::offer));
      assertEquals(List.of(spec.withBias(false).withAccumulate(true)), asked);
      assertEquals(List.of(new Variant("v", 1, Numerics.EXACT_F32, true)), accepted.variants());
      MemorySegment bias = arena.allocate(4L * outputs, 4);
      for (int o = 0; o < outputs; o++) {
        bias.setAtIndex(JAVA_FLOAT, o, o % 64 + 1);
      }
      LinearPacker packer = (LinearPacker) accepted.kernel();
      LinearKernel kernel = packer.pack(List.of(), bias, arena, Workers.sequential());
      bias.fill((byte) 0xff); // NaN: it is the caller's again
      assertEquals(23, kernel.scratchBytes(3, 2));
      assertTrue(kernel.retainsSource());
      int stride = outputs + PAD;
      MemorySegment data = arena.allocate(4L * 3 * stride, 4);
      for (long i = 0; i < 3L * stride; i++) {
        data.setAtIndex(JAVA_FLOAT, i, i % stride < outputs && !accumulate ? Float.NaN : 1e4f);
      }
      F32Matrix y = new F32Matrix(data, 3, outputs, stride);
      List<Integer> runs = new ArrayList<>();
      kernel.apply(y, y, new Workspace(arena.allocate(64, 64), twoWorkers(runs)));
      assertEquals(outputs < 1000 ? List.of() : List.of(2), runs);
      for (int r = 0; r < 3; r++) {
        for (int i = 0; i < stride; i++) {
          float held = accumulate ? 1e4f : 0;
          float expected = i < outputs ? held + i % 64 + 1 + 1000 : 1e4f;
          assertEquals(expected, data.getAtIndex(JAVA_FLOAT, (long) r * stride + i), "at " + i);
        }
      }
    }
  }

  @Test
  void whatHasNoBiasIsHandedOnAndSoIsARefusal() {
    LinearSpec spec = LinearSpec.of(BlockFormat.F32, 5, 4);
    Offer<LinearPacker> refusal = Offer.declined("no");
    assertSame(refusal, BiasedLinear.offer(spec, s -> refusal));
    assertSame(refusal, BiasedLinear.offer(spec.withBias(true), s -> refusal));
    BiasedLinear.offer(spec, this::offer);
    assertEquals(List.of(spec), asked);
  }

  /// From the last task to the first.
  private static Workers twoWorkers(List<Integer> runs) {
    return new Workers() {
      @Override
      public int parallelism() {
        return 2;
      }

      @Override
      public void run(int tasks, Task body) {
        runs.add(tasks);
        for (int task = tasks - 1; task >= 0; task--) {
          body.run(task, task % 2);
        }
      }
    };
  }
}
