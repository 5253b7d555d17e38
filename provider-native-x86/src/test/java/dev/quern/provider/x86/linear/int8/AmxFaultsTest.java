package dev.quern.provider.x86.linear.int8;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.FaultHunt;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.Routine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code for tiles are found, as [EmittedFaultsTest] finds those of the others.
class AmxFaultsTest {
  private static final int ROWS = AmxProduct.MIN_ROWS;

  /// Faults that are none, as regular expressions: rax has a bit that rcx has, if any.
  private static final List<String> ALIKE_IN_PRODUCTS =
      List.of(".*: test rcx, rcx: test (rcx, rax|rax, rcx)");

  private static final List<String> ALIKE_IN_UNPACKING =
      List.of(
          // Blocks are a multiple of what is taken from their count, and not many times that.
          ".*: sub rcx, ([248]): sub rcx, [359]",
          // Its registers are those from 16 on, which vzeroupper leaves as they are.
          ".*: vzeroupper: left out");

  /// One format of each kind of unpacked panels.
  @TestFactory
  Stream<DynamicTest> products() {
    return Stream.of(
            BlockFormat.Q4_0,
            BlockFormat.Q4_1,
            BlockFormat.Q6_K,
            BlockFormat.INT4_B32,
            BlockFormat.INT8_C)
        .map(f ->
            DynamicTest.dynamicTest(f.id(), () -> checkProduct(PanelFormat.of(f).orElseThrow())));
  }

  @TestFactory
  Stream<DynamicTest> unpacking() {
    return PanelFormat.table().stream()
        .map(f -> DynamicTest.dynamicTest(f.format().id(), () -> checkUnpacking(f)));
  }

  private static void checkProduct(PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(format, codes);
    FaultHunt.check(
        "product of " + format.format() + " by tiles",
        codes.get(ROWS),
        ALIKE_IN_PRODUCTS,
        (routine, seed) -> {
          List<Routine> products = new ArrayList<>(sound.products());
          products.set(ROWS - 1, routine);
          return difference(
              new Int8Code(
                  sound.unit(),
                  format,
                  sound.packing(),
                  sound.rounding(),
                  sound.tiles(),
                  products,
                  sound.unpacking()),
              seed);
        });
  }

  private static void checkUnpacking(PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(format, codes);
    FaultHunt.check(
        "unpacking of " + format.format(),
        codes.getLast(),
        ALIKE_IN_UNPACKING,
        (routine, seed) ->
            difference(
                new Int8Code(
                    sound.unit(),
                    format,
                    sound.packing(),
                    sound.rounding(),
                    sound.tiles(),
                    sound.products(),
                    Optional.of(routine)),
                seed));
  }

  private static Int8Code interpreted(PanelFormat format, List<Code> codes) throws Exception {
    return Int8Code.load(
        DotUnit.of(CpuRow.AMX),
        format,
        all -> {
          codes.addAll(all);
          return InterpretedRoutine.load(all);
        });
  }

  /// Two panels of three blocks or more; for some seeds a row is not finite.
  private static String difference(Int8Code code, int seed) {
    BlockFormat format = code.format().format();
    int inputs = format.blockElements() > 64 ? 2 * format.blockElements() : 128;
    return EmittedFaultsTest.difference(
        code,
        arena -> {
          int last = format.blockElements() == 1 ? 3 : 0; // inputs that its last block is shorter
          LinearData data = LinearData.random(arena, format, ROWS, 21, inputs - last, seed);
          if (seed % 4 == 2) {
            data.x().set(1, 40, Float.POSITIVE_INFINITY);
          }
          return data;
        },
        seed % 2 == 1);
  }
}
