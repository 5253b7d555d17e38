package dev.quern.provider.vector.direct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DamagedHalvesTest {
  private static final int INPUTS = 23; // three of them are in no group of four

  @ParameterizedTest
  @ValueSource(ints = {0x7C00, 0xFC00, 0x7C01, 0xFFFF, 0x7BFF, 0xFBFF, 0x8001, 0})
  void eachPlaceOfARowIsLookedAt(int half) {
    int[] expected = (half & 0x7C00) == 0x7C00 ? new int[] {5} : new int[0];
    for (int i = 0; i < INPUTS; i++) {
      WeightMatrix first = negative(3);
      WeightMatrix second = negative(4);
      second.data().set(Lanes.I16, 2L * (2 * INPUTS + i), (short) half);
      assertArrayEquals(
          expected, DamagedHalves.of(List.of(first, second), Workers.sequential()).outputs());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16", "Q4_0"})
  void otherFormatsCarryTheirDamageThroughTheKernel(String id) {
    WeightMatrix w =
        TestWeights.random(
            BlockFormat.byId(id).orElseThrow(), 2, 32, new Random(1), Arena.ofAuto());
    w.data().fill((byte) 0xFF);
    assertArrayEquals(new int[0], DamagedHalves.of(List.of(w), Workers.sequential()).outputs());
  }

  /// Sign bits must not be taken for exponents.
  private static WeightMatrix negative(int outputs) {
    MemorySegment data = Arena.ofAuto().allocate(2L * outputs * INPUTS);
    for (long at = 0; at < data.byteSize(); at += 2) {
      data.set(Lanes.I16, at, Float.floatToFloat16(-1.5f));
    }
    return new WeightMatrix(BlockFormat.F16, data, MemorySegment.NULL, outputs, INPUTS);
  }
}
