package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rule L11's other half on any CPU; the rest of it runs in the Arm lane.
class DamagedOutputsTest {
  private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;

  private final Arena arena = Arena.ofAuto();

  @ParameterizedTest
  @CsvSource({
    "Q4_0, 7c00, true",
    "Q4_0, fc00, true",
    "Q4_0, 7e01, true",
    "Q4_0, 7bff, false",
    "INT4_B32, 7f80, true",
    "INT4_B64, ffc0, true",
    "INT4_B256, 7f7f, false",
    "INT8_C, 7f800000, true",
    "INT8_C, 7fc00000, true",
    "INT8_C, 7f7fffff, false",
    "F32, 7f800000, true",
    "F32, ffc00000, true",
    "F32, 7f7fffff, false",
    "BF16, ff80, true",
    "BF16, 7fc0, true",
    "BF16, 7f7f, false",
  })
  void aScaleOrWeightThatIsNotFiniteIsFound(String id, String bits, boolean damaged) {
    BlockFormat format = BlockFormat.byId(id).orElseThrow();
    WeightMatrix sound = TestWeights.random(format, 5, 512, new Random(1), arena);
    WeightMatrix other = TestWeights.random(format, 7, 512, new Random(2), arena);
    int row = 4;
    int value = Integer.parseUnsignedInt(bits, 16);
    long block = (long) row * format.blocksPerRow(512) + format.blocksPerRow(512) - 1;
    MemorySegment data = other.data();
    switch (id) {
      case "Q4_0", "BF16" -> data.set(HALF, block * format.blockBytes(), (short) value);
      case "F32" -> data.set(WORD, block * format.blockBytes(), value);
      case "INT8_C" -> other.scales().set(WORD, 4L * row, value);
      default -> other.scales().set(HALF, 2 * block, (short) value);
    }
    assertArrayEquals(
        damaged ? new int[] {9} : new int[0], DamagedOutputs.of(List.of(sound, other)).outputs());
  }

  @Test
  void theirColumnsAndNoOthersAreMarked() {
    F32Matrix y = new F32Matrix(arena.allocate(4 * 2 * 6, 4), 2, 4, 6);
    new DamagedOutputs(1, 3).mark(y);
    for (int row = 0; row < 2; row++) {
      assertEquals(0, y.get(row, 0));
      assertTrue(Float.isNaN(y.get(row, 1)));
      assertEquals(0, y.get(row, 2));
      assertTrue(Float.isNaN(y.get(row, 3)));
    }
    assertEquals(0, y.data().getAtIndex(ValueLayout.JAVA_FLOAT, 4), "between the rows");
  }
}
