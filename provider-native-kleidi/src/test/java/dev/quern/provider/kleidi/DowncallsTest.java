package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.kleidi.KleidiAi.LhsPacker;
import dev.quern.provider.kleidi.KleidiAi.MicroKernel;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What crossing into native code costs that does not depend on a machine's speed: calls for each
/// linear and token, and bytes that are moved for the call's sake.
///
/// Every handle of a [KernelPair] is one downcall; here each notes its arguments first.
@Tag(ArmHost.TAG)
class DowncallsTest {
  private static final int WORKERS = 4;
  private static final int MOST_CALLS_A_WORKER = 3;

  /// A downcall.
  ///
  /// @param worker of the run that it happened in; -1 outside of one
  private record Call(String function, int worker, List<Object> arguments) {}

  private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
  private int worker = -1;

  /// The linears of a token of Llama 3.2 1B's proportions, a sixteenth as wide: Q, K and V in one;
  /// the attention's output; gate and up in one; down.
  private static final List<Shape> LAYER =
      List.of(
          new Shape(192, 128, false),
          new Shape(128, 128, true),
          new Shape(1024, 128, false),
          new Shape(128, 512, true));

  private record Shape(int outputs, int inputs, boolean accumulate) {}

  @Test
  void aTokenTakesFewCallsAndCopiesNothing() throws Throwable {
    for (BlockFormat format : oneOfEachFamily()) {
      for (int rows : new int[] {1, 16}) {
        int total = 0;
        for (Shape shape : LAYER) {
          total += check(format, shape, rows);
        }
        System.out.printf(
            Locale.ROOT,
            "%s, %d row(s), %d workers: %d downcalls for the %d linears of a layer%n",
            format,
            rows,
            WORKERS,
            total,
            LAYER.size());
      }
    }
  }

  /// Of the families that this CPU and library have.
  private static List<BlockFormat> oneOfEachFamily() {
    LoadedKernels kernels = ArmHost.kernels("the number of downcalls");
    List<BlockFormat> formats = new ArrayList<>();
    for (KernelFamily family : KernelFamily.values()) {
      if (kernels.pair(family).isPresent()) {
        formats.add(family.formats().getFirst());
      }
    }
    return formats;
  }

  /// One linear; the number of its downcalls.
  private int check(BlockFormat format, Shape shape, int rows) throws Throwable {
    LinearSpec spec =
        new LinearSpec(
            format, shape.outputs, shape.inputs, shape.accumulate, Set.copyOf(Numerics.standard()));
    KernelPair pair =
        counted(
            ArmHost.kernels("the number of downcalls")
                .pair(KernelFamily.of(format).orElseThrow())
                .orElseThrow());
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> packed = new ArrayList<>();
      PackedWeights weights =
          PackedWeights.pack(
              pair,
              spec,
              List.of(
                  TestWeights.random(format, shape.outputs, shape.inputs, new Random(1), arena)),
              (bytes, alignment) -> {
                packed.add(arena.allocate(bytes, alignment));
                return packed.getLast();
              },
              Workers.sequential());
      LinearKernel kernel = new KleidiLinear(spec, pair, weights);
      F32Matrix x = F32Matrix.allocate(arena, rows, shape.inputs);
      F32Matrix y = F32Matrix.allocate(arena, rows, shape.outputs);
      MemorySegment scratch = arena.allocate(kernel.scratchBytes(rows, WORKERS), 64);
      calls.clear();
      kernel.apply(x, y, new Workspace(scratch, new CountingWorkers()));
      assertFewCalls(spec, rows);
      assertEquals(
          0,
          bytesCopied(x, y, packed, scratch),
          String.format(Locale.ROOT, "bytes copied for %s, %s", spec, calls));
      return calls.size();
    }
  }

  private void assertFewCalls(LinearSpec spec, int rows) {
    Map<Integer, Integer> byWorker = new HashMap<>();
    // What the caller does outside of a run it does as worker 0.
    calls.forEach(c -> byWorker.merge(Math.max(0, c.worker), 1, Integer::sum));
    assertTrue(!calls.isEmpty(), "no downcall was noted");
    byWorker.forEach((w, n) ->
        assertTrue(
            n <= MOST_CALLS_A_WORKER,
            String.format(
                Locale.ROOT,
                "%s, %d rows: worker %d made %d downcalls, expected at most %d: %s",
                spec,
                rows,
                w,
                n,
                MOST_CALLS_A_WORKER,
                calls)));
  }

  /// A copy would show as an argument that is not what the caller gave: x read from elsewhere than
  /// x, weights from elsewhere than the packed ones, y written elsewhere than y. Products that are
  /// added to y are in scratch first, and are results.
  private long bytesCopied(
      F32Matrix x, F32Matrix y, List<MemorySegment> packed, MemorySegment scratch) {
    long bytes = 0;
    for (Call call : calls) {
      for (Object argument : call.arguments) {
        if (argument instanceof MemorySegment s
            && !s.equals(x.data())
            && !s.equals(y.data())
            && !s.equals(scratch)
            && !packed.contains(s)) {
          bytes += s.byteSize();
        }
      }
      boolean packs = call.function.startsWith("lhs");
      if (packs && call.arguments.stream().noneMatch(x.data()::equals)) {
        bytes += x.data().byteSize();
      }
    }
    return bytes;
  }

  private KernelPair counted(KernelPair pair) throws ReflectiveOperationException {
    return new KernelPair(
        pair.row(), counted(pair.gemv()), counted(pair.gemm()), pair.rhs(), pair.maxThreads());
  }

  private MicroKernel counted(MicroKernel u) throws ReflectiveOperationException {
    Optional<LhsPacker> lhs = Optional.empty();
    if (u.lhs().isPresent()) {
      LhsPacker packer = u.lhs().get();
      lhs =
          Optional.of(
              new LhsPacker(
                  packer.name(), packer.packedSize(), counted(packer.name(), packer.run())));
    }
    return new MicroKernel(
        u.name(), lhs, u.tiling(), u.nStep(), counted("run " + u.name(), u.run()));
  }

  /// The handle, after a note of its arguments.
  private MethodHandle counted(String function, MethodHandle handle)
      throws ReflectiveOperationException {
    MethodHandle note =
        MethodHandles.lookup()
            .findVirtual(
                DowncallsTest.class,
                "note",
                MethodType.methodType(void.class, String.class, Object[].class))
            .bindTo(this)
            .bindTo(function)
            .asCollector(Object[].class, handle.type().parameterCount());
    return MethodHandles.foldArguments(
        handle, note.asType(handle.type().changeReturnType(void.class)));
  }

  private void note(String function, Object... arguments) {
    calls.add(new Call(function, worker, Arrays.asList(arguments)));
  }

  /// Says that it has several threads and takes turns: task t belongs to worker t modulo their
  /// number, as if all were equally fast.
  private final class CountingWorkers implements Workers {
    @Override
    public int parallelism() {
      return WORKERS;
    }

    @Override
    public void run(int tasks, Task body) {
      for (int task = 0; task < tasks; task++) {
        worker = task % WORKERS;
        body.run(task, worker);
      }
      worker = -1;
    }
  }
}
