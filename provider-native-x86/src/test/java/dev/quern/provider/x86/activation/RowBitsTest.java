package dev.quern.provider.x86.activation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.WideRoutine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// RMSNorm, RoPE and SwiGLU of every width of vectors give the reference's bits, for rows of all
/// lengths up to a few vectors: interpreted on any machine, and on a CPU that has the features
/// there as well.
class RowBitsTest {
  private static final int LONGEST = 70;

  /// A call with operands of a seed; where it differs.
  @FunctionalInterface
  private interface Call {
    String of(WideRoutine routine, int length, int seed);
  }

  @TestFactory
  Stream<DynamicTest> everyWidthAndOperator() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2).flatMap(RowBitsTest::of);
  }

  private static Stream<DynamicTest> of(CpuRow row) {
    int lanes = Lanes.count(row);
    return Stream.of(
        test(row, "rmsnorm", RmsNormCode.code(row), (r, n, s) -> RowCalls.rmsNorm(r, lanes, n, s)),
        test(row, "swiglu", SwiGluCode.code(row), (r, n, s) -> RowCalls.swiGlu(r, lanes, n, s)),
        test(
            row,
            "rope of halves",
            RopeCode.halves(row),
            (r, n, s) -> RowCalls.rope(r, lanes, false, 2 * n, s)),
        test(
            row,
            "rope of neighbours",
            RopeCode.adjacent(row),
            (r, n, s) -> RowCalls.rope(r, lanes, true, 2 * n, s)));
  }

  private static DynamicTest test(CpuRow row, String name, Code code, Call call) {
    return DynamicTest.dynamicTest(
        row + " " + name,
        () -> {
          List<WideRoutine> all = new ArrayList<>(InterpretedRoutine.loadWide(List.of(code)));
          if (Host.has(row.needs())) {
            all.addAll(NativeRoutines.loadWide(List.of(code)));
          } else {
            System.out.println("[quern] only interpreted on this CPU: " + name + " on " + row);
          }
          for (int length = 1; length <= LONGEST; length++) {
            for (WideRoutine routine : all) {
              assertEquals("", call.of(routine, length, length), name + " of " + length);
            }
          }
        });
  }
}
