package dev.quern.provider.x86.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.bf16.Bf16Linears;
import dev.quern.provider.x86.linear.bf16.Bf16Reference;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.provider.x86.linear.int8.Int8Reference;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Two kernels on one copy of the weights: the bits of each, by the number of rows.
class MixedLinearsTest {
  private static MixedLinears linears(RoutineLoader loader) {
    return new MixedLinears(
        new Int8Linears(CpuRow.AMX, loader), new Bf16Linears(CpuRow.AMX, loader));
  }

  @TestFactory
  Stream<DynamicTest> bits() {
    return Stream.of(BlockFormat.Q4_0, BlockFormat.Q5_K, BlockFormat.INT4_B64, BlockFormat.INT8_C)
        .map(f -> DynamicTest.dynamicTest(f.toString(), () -> check(f)));
  }

  private static void check(BlockFormat format) throws Exception {
    boolean runs = Host.refusal(CpuRow.AMX).isEmpty();
    if (!runs) {
      System.out.println("[quern] only interpreted on this CPU: " + format + " on tiles");
    }
    Numerics few = PanelFormat.of(format).orElseThrow().numerics();
    int inputs = 2 * Math.max(29, format.blockElements());
    LinearSpec spec = new LinearSpec(format, 39, inputs, false, Set.of(few, Numerics.BF16));
    Offer<LinearPacker> offer =
        linears(runs ? NativeRoutines::load : InterpretedRoutine::load).offer(spec);
    String name = format.id().toLowerCase(Locale.ROOT);
    Offer.Accepted<LinearPacker> accepted = (Offer.Accepted<LinearPacker>) offer;
    assertEquals(
        List.of(
            new Variant(name + "-amx", 1, few), new Variant(name + "-bf16-amx", 32, Numerics.BF16)),
        accepted.variants());
    long before = 0;
    for (int rows : List.of(1, 7, 31, 32, 33, 65)) {
      try (Arena arena = Arena.ofConfined()) {
        LinearData data = LinearData.random(arena, format, rows, 39, inputs, rows);
        LinearKernel kernel =
            accepted.kernel().pack(List.of(data.w()), arena, Workers.sequential());
        F32Matrix y = F32Matrix.allocate(arena, rows, 39);
        long bytes = kernel.scratchBytes(rows, 1);
        assertTrue(bytes >= before, "scratch shrinks at " + rows + " rows");
        before = bytes;
        MemorySegment scratch = arena.allocate(bytes, 64);
        scratch.fill((byte) -1);
        kernel.apply(data.x(), y, new Workspace(scratch, Workers.sequential()));
        float[][] expected =
            rows < 32
                ? Int8Reference.multiply(data.x(), data.w())
                : Bf16Reference.multiply(data.x(), data.w(), true);
        for (int r = 0; r < rows; r++) {
          for (int o = 0; o < 39; o++) {
            assertEquals(expected[r][o] + 0f, y.get(r, o) + 0f, rows + " rows, y[" + r + "]");
          }
        }
      }
    }
  }

  @Test
  void reasonsToDecline() {
    MixedLinears linears = linears(InterpretedRoutine::load);
    assertEquals(
        new Offer.Declined<>("no int8 products of weight format F16"),
        linears.offer(new LinearSpec(BlockFormat.F16, 8, 64, false, Set.of(Numerics.BF16))));
    assertEquals(
        new Offer.Declined<>(
            "it runs with int8-sym-32 and bf16, and the spec tolerates [int8-sym-32]"),
        linears.offer(
            new LinearSpec(BlockFormat.Q4_0, 8, 64, false, Set.of(Numerics.INT8_SYM_32))));
  }
}
