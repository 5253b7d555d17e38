package dev.quern.provider.x86.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.EmittedFault;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.Fault;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code are found: each instruction of the rounding and of a product for two rows
/// is broken in several ways, and the reference's bits, or the interpreter's rules, tell. In other
/// words: there is no instruction that could as well be another, but for those of [#ALIKE].
class EmittedFaultsTest {
  private static final long LIMIT = 100_000;
  private static final int ROWS = 2;

  /// How often a fault is tried: by chance a register's neighbour may be as good.
  private static final int SEEDS = 8;

  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // rax has a bit that rcx has, if any.
          ".*: test rcx, rcx: test (rcx, rax|rax, rcx)",
          // Blocks are a multiple of 8, and fewer than 9 times 8 here.
          ".*: sub rcx, 8: sub rcx, 9",
          // A d is not finite where the largest magnitude is not.
          ".*: \\{vex} vfmadd231ss xmm5, xmm4, xmm8: \\{vex} vfmadd231ss xmm5, xmm5, xmm8");

  @TestFactory
  Stream<DynamicTest> products() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            PanelFormat.table().stream()
                .map(f ->
                    DynamicTest.dynamicTest(row + " " + f.format(), () -> checkProduct(row, f))));
  }

  /// One format of each kind of terms, and one without.
  @TestFactory
  Stream<DynamicTest> rounding() {
    return Stream.of(
            BlockFormat.Q4_0,
            BlockFormat.Q4_1,
            BlockFormat.Q6_K,
            BlockFormat.Q8_0,
            BlockFormat.INT8_C)
        .map(f ->
            DynamicTest.dynamicTest(
                f.toString(), () -> checkRounding(PanelFormat.of(f).orElseThrow())));
  }

  private static void checkProduct(CpuRow row, PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(row, format, codes);
    Trial trial = new Trial(21, 2 * Math.max(29, format.format().blockElements()));
    check(
        "product of " + format.format() + " on " + row,
        trial,
        sound,
        EmittedFault.of(codes.get(ROWS)),
        routine -> {
          List<Routine> products = new ArrayList<>(sound.products());
          products.set(ROWS - 1, routine);
          return new Int8Code(sound.unit(), format, sound.rounding(), sound.tiles(), products);
        });
  }

  private static void checkRounding(PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(CpuRow.AVX2, format, codes);
    check(
        "rounding for " + format.format(),
        new Trial(3, 1024),
        sound,
        EmittedFault.of(codes.getFirst()),
        routine -> new Int8Code(sound.unit(), format, routine, sound.tiles(), sound.products()));
  }

  private static Int8Code interpreted(CpuRow row, PanelFormat format, List<Code> codes)
      throws Exception {
    return Int8Code.load(
        DotUnit.of(row),
        format,
        all -> {
          codes.addAll(all);
          return InterpretedRoutine.load(all);
        });
  }

  private static void check(
      String what,
      Trial trial,
      Int8Code sound,
      List<EmittedFault> faults,
      Function<Routine, Int8Code> with) {
    assertEquals("", trial.difference(sound));
    List<String> alive = new ArrayList<>();
    int alike = 0;
    for (EmittedFault fault : faults) {
      if (ALIKE.stream().anyMatch(fault.name()::matches)) {
        alike++;
      } else if (trial
          .difference(with.apply(new InterpretedRoutine(fault.code(), LIMIT)))
          .isEmpty()) {
        alive.add(fault.name());
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %d faults in emitted code, %d of them found, %d are none%n",
        what,
        faults.size(),
        faults.size() - alike - alive.size(),
        alike);
    assertTrue(alive.isEmpty(), () -> what + ":\n" + String.join("\n", alive));
  }

  /// Operands of a size.
  private record Trial(int outputs, int inputs) {
    /// Where code differs from the reference, or what it did that it must not; empty if nothing.
    String difference(Int8Code code) {
      String difference = "";
      for (int seed = 0; seed < SEEDS && difference.isEmpty(); seed++) {
        difference = difference(code, seed % 2 == 1, seed);
      }
      return difference;
    }

    /// Ordinary rows, which are added to y, or two of which one is too small to be rounded and one
    /// not finite.
    private String difference(Int8Code code, boolean ordinary, int seed) {
      try (Arena arena = Arena.ofConfined()) {
        LinearData data =
            LinearData.random(arena, code.format().format(), ROWS, outputs, inputs, seed);
        for (int i = 0; i < inputs; i++) {
          if (!ordinary) {
            data.x().set(0, i, 1e-39f);
          } else if (i % 32 == i / 32 % 32) { // the largest is everywhere once
            data.x().set(0, i, 8 * Math.max(1e-6f, Math.abs(data.x().get(0, i))) * (i % 3 - 1.5f));
          }
        }
        if (!ordinary) {
          data.x().set(1, 40, Float.POSITIVE_INFINITY); // and where the second scale is
          data.x().set(1, 60, Float.NEGATIVE_INFINITY);
        }
        float[][] before = before();
        float[][] expected = Int8Reference.multiply(data.x(), data.w());
        F32Matrix y = data.apply(code, arena, ordinary ? before : null);
        for (int r = 0; r < ROWS; r++) {
          for (int o = 0; o < outputs; o++) {
            float sum = ordinary ? before[r][o] + expected[r][o] : expected[r][o];
            if (Float.compare(sum, y.get(r, o)) != 0) {
              return String.format(
                  Locale.ROOT, "y[%d][%d]: %s, expected %s", r, o, y.get(r, o), sum);
            }
          }
        }
        return "";
      } catch (Fault e) {
        return e.getMessage();
      }
    }

    private float[][] before() {
      float[][] before = new float[ROWS][outputs];
      Random random = new Random(5);
      for (float[] row : before) {
        for (int o = 0; o < outputs; o++) {
          row[o] = (float) random.nextGaussian();
        }
      }
      return before;
    }
  }
}
