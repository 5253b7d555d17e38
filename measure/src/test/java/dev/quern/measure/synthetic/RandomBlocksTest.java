package dev.quern.measure.synthetic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The weights that a codec reads from generated blocks.
class RandomBlocksTest {
  private static final int WEIGHTS = 1 << 18;
  private static final double DEVIATION = 0.02;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4", "Q2_K",
        "Q3_K", "Q4_K", "Q5_K", "Q6_K"
      })
  void weightsHaveTheDeviationAskedForAndNoBias(String id) {
    BlockFormat format = BlockFormat.byId(id).orElseThrow();
    ByteBuffer blocks =
        ByteBuffer.allocateDirect((int) format.rowBytes(WEIGHTS)).order(ByteOrder.LITTLE_ENDIAN);
    new RandomBlocks(new SplittableRandom(1), DEVIATION).fill(format, blocks);
    double sum = 0;
    double squares = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocate((long) WEIGHTS * Float.BYTES, Float.BYTES);
      WeightMatrix matrix = new WeightMatrix(format, MemorySegment.ofBuffer(blocks), 1, WEIGHTS);
      BlockCodec.of(format).orElseThrow().decodeRow(matrix, 0, row, 0);
      for (int i = 0; i < WEIGHTS; i++) {
        float w = row.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        assertTrue(
            Math.abs(w) < 8 * DEVIATION, String.format(Locale.ROOT, "weight %d is %s", i, w));
        sum += w;
        squares += (double) w * w;
      }
    }
    // The mean's own deviation is DEVIATION / 512, more where weights of a block share an offset.
    assertEquals(0, sum / WEIGHTS, DEVIATION / 50);
    assertEquals(DEVIATION, Math.sqrt(squares / WEIGHTS), DEVIATION / 20);
  }
}
