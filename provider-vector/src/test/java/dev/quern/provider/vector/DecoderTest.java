package dev.quern.provider.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.direct.BlockReader;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Vectorised decoders against the codecs of `dev.quern.data`: the same floats (rule F1).
class DecoderTest {
  private static final int OUTPUTS = 3;

  static Iterable<BlockFormat> formats() {
    return BlockFormat.standard();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void decodesWhatTheCodecDecodes(BlockFormat format) {
    int inputs = format.blockElements() == 1 ? 512 + 13 : 768;
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix w = TestWeights.random(format, OUTPUTS, inputs, new Random(5), arena);
      BlockCodec codec = BlockCodec.of(format).orElseThrow();
      BlockReader.Decoder decoder = LinearTable.of(format).orElseThrow().direct().decoder();
      MemorySegment expected = arena.allocate(4L * inputs);
      MemorySegment scratch = arena.allocate(BlockReader.DECODER_BYTES + 4L * inputs, 64);
      MemorySegment actual = scratch.asSlice(BlockReader.DECODER_BYTES);
      for (int row = 0; row < OUTPUTS; row++) {
        codec.decodeRow(w, row, expected, 0);
        decoder.decode(w, row, 0, 256, scratch, BlockReader.DECODER_BYTES, 0);
        decoder.decode(w, row, 256, inputs - 256, scratch, BlockReader.DECODER_BYTES + 4 * 256, 0);
        for (int i = 0; i < inputs; i++) {
          assertEquals(
              expected.getAtIndex(JAVA_FLOAT, i),
              actual.getAtIndex(JAVA_FLOAT, i),
              String.format(Locale.ROOT, "%s, row %d, element %d", format, row, i));
        }
      }
    }
  }

  /// Subnormals, infinities and NaN among them.
  @ParameterizedTest
  @ValueSource(strings = {"F16", "BF16"})
  void everyNumberOf16BitsIsExact(String name) {
    BlockFormat format = BlockFormat.byId(name).orElseThrow();
    int count = 1 << 16;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(2L * count, 64);
      for (int i = 0; i < count; i++) {
        data.setAtIndex(JAVA_SHORT, i, (short) i);
      }
      WeightMatrix w = new WeightMatrix(format, data, 1, count);
      MemorySegment expected = arena.allocate(4L * count);
      MemorySegment scratch = arena.allocate(BlockReader.DECODER_BYTES + 4L * count, 64);
      MemorySegment actual = scratch.asSlice(BlockReader.DECODER_BYTES);
      BlockCodec.of(format).orElseThrow().decodeRow(w, 0, expected, 0);
      LinearTable.of(format)
          .orElseThrow()
          .direct()
          .decoder()
          .decode(w, 0, 0, count, scratch, BlockReader.DECODER_BYTES, 0);
      for (int i = 0; i < count; i++) {
        float e = expected.getAtIndex(JAVA_FLOAT, i);
        float a = actual.getAtIndex(JAVA_FLOAT, i);
        assertEquals(e, a, String.format(Locale.ROOT, "0x%04x", i));
        assertEquals(
            Float.floatToIntBits(e),
            Float.floatToIntBits(a),
            String.format(Locale.ROOT, "0x%04x", i));
      }
    }
  }
}
