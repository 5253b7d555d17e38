package dev.quern.provider.x86.activation;

import dev.quern.provider.x86.cpu.CpuRow;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in the emitted code of RMSNorm, RoPE and SwiGLU are found.
class RowFaultsTest {
  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // A mask of no lanes does nothing: the jump around the rest only saves time.
          "item (1[89]|[2-9][0-9]): jle .*: left out",
          "item (1[7-9]|[2-9][0-9]): mov rax, QWORD PTR \\[rdi\\+(32|48)]: mov rax, .*",
          // What is not finite unless a sum is may be the mean as well.
          ".*: \\{e?vex} vfmadd231ps .mm4, .mm2, .mm0: \\{e?vex} vfmadd231ps .mm4, .mm2, .mm1",
          // Quarters that are neighbours are alike then; of two halves the second source has none.
          ".*: vshufi32x4 zmm2, zmm0, zmm0, 78: vshufi32x4 zmm2, zmm0, zmm0, 79",
          ".*: vperm2f128 ymm2, ymm0, ymm0, 1: vperm2f128 ymm2, ymm0, ymm1, 1",
          // Where a rest is left, the last lane is none of it.
          "item (4[4-9]|5[0-9]): .*ymm[0-9], YMMWORD PTR \\[rip.*]: .*\\+4]",
          // Behind the cosines there are sines.
          ".*: vmaskmovps xmm2, xmm14, (.*): vmaskmovps xmm2, xmm15, .*");

  /// Whole vectors and a rest, no rest, no whole one.
  private static int length(int seed, int lanes) {
    return seed % 4 == 2 ? 2 * lanes : seed % 4 == 1 ? 3 : 2 * lanes + 1 + seed % (lanes - 1);
  }

  @TestFactory
  Stream<DynamicTest> everyWidthAndOperator() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2).flatMap(RowFaultsTest::of);
  }

  private static Stream<DynamicTest> of(CpuRow row) {
    int lanes = Lanes.count(row);
    return Stream.of(
        Faults.test(
            "rmsnorm on " + row,
            RmsNormCode.code(row),
            ALIKE,
            (r, seed) -> RowCalls.rmsNorm(r, lanes, length(seed, lanes), seed)),
        Faults.test(
            "swiglu on " + row,
            SwiGluCode.code(row),
            ALIKE,
            (r, seed) -> RowCalls.swiGlu(r, lanes, length(seed, lanes), seed)),
        Faults.test(
            "rope of halves on " + row,
            RopeCode.halves(row),
            ALIKE,
            (r, seed) -> RowCalls.rope(r, lanes, false, 2 * length(seed, lanes), seed)),
        Faults.test(
            "rope of neighbours on " + row,
            RopeCode.adjacent(row),
            ALIKE,
            (r, seed) -> RowCalls.rope(r, lanes, true, 2 * length(seed, lanes), seed)));
  }
}
