package dev.quern.provider.x86.linear.panel;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.linear.FaultHunt;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code that packs rows are found: each instruction is broken in several ways,
/// and the panels tell, or the interpreter's rules.
class PackingFaultsTest {
  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // All elements are inserted, one after the other.
          ".*: vpinsrw xmm0, xmm0, WORD PTR .*, 0: vpinsrw xmm0, xmm1, .*",
          // A NaN is what is not equal to itself.
          ".*: \\{vex} vcmpps (ymm[34], ymm[01], ymm[01]), 3: \\{vex} vcmpps \\1, 4",
          // A BF16 is no NaN where it lies in the lower half of 32 bits.
          ".*: \\{vex} vcmpps ymm4, ymm1, ymm1, 3: .*, (ymm0, ymm1|ymm1, ymm0), 3",
          // The upper half is not stored.
          ".*: \\{vex} vpackuswb xmm0, xmm0, xmm0: \\{vex} vpackuswb xmm0, xmm0, xmm1");

  /// And where an F16 is rounded to BF16: a NaN is quiet once it is widened, and what is widened is
  /// none as it lies there.
  private static final List<String> ALIKE_HALVES =
      Stream.concat(
              ALIKE.stream(),
              Stream.of(
                  ".*: \\{vex} vcmpps ymm3, ymm0, ymm0, 3: .*, (ymm0, ymm1|ymm1, ymm0), 3",
                  ".*: vpor ymm([12]), ymm\\1, YMMWORD .*: left out",
                  ".*: vpor ymm2, ymm2, YMMWORD (.*): vpor ymm3, ymm2, YMMWORD \\1"))
          .toList();

  @TestFactory
  Stream<DynamicTest> everyPanel() {
    return PackedReference.all().stream()
        .filter(p -> p.outputs() > 8)
        .map(p -> DynamicTest.dynamicTest(PackedReference.name(p), () -> check(p)));
  }

  /// Lanes 0 and 8, and rows that are missing.
  private static void check(PackedPanels panels) {
    int inputs = 2 * Math.max(panels.inputs(), panels.format().blockElements());
    try (Arena arena = Arena.ofConfined()) {
      List<List<WeightMatrix>> matrices = new ArrayList<>();
      List<PackedReference> references = new ArrayList<>();
      for (int seed = 0; seed < FaultHunt.SEEDS; seed++) {
        List<Integer> rows = List.of(8, seed % 2 == 0 ? 8 : 3);
        matrices.add(PackingTest.matrices(panels.format(), rows, inputs, seed % 4 > 0, arena));
        references.add(PackedReference.of(panels, matrices.getLast(), arena));
      }
      FaultHunt.check(
          "packing of " + PackedReference.name(panels),
          panels.packing(),
          panels instanceof Bf16Panels && panels.format().equals(BlockFormat.F16)
              ? ALIKE_HALVES
              : ALIKE,
          (routine, seed) -> {
            try (Arena own = Arena.ofConfined()) {
              return references
                  .get(seed)
                  .difference(PackingTest.pack(panels, routine, matrices.get(seed), own));
            }
          });
    }
  }
}
