package dev.quern.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.testing.TestWeights;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/// SPEC.md, section F.
class BlockCodecTest {

  @Test
  void goldenBlocksDecodeExactly() throws IOException {
    Set<String> seen = new TreeSet<>();
    JsonNode formats;
    try (InputStream in = getClass().getResourceAsStream("golden-blocks.json")) {
      formats = new ObjectMapper().readTree(in).get("formats");
    }
    for (Map.Entry<String, JsonNode> golden : formats.properties()) {
      BlockFormat format = BlockFormat.byId(golden.getKey()).orElseThrow();
      byte[] bytes = HexFormat.of().parseHex(golden.getValue().get("bytes").asText());
      JsonNode values = golden.getValue().get("values");
      WeightMatrix w = new WeightMatrix(format, MemorySegment.ofArray(bytes), 1, values.size());
      float[] decoded = decodeRow(w, 0);
      for (int i = 0; i < decoded.length; i++) {
        float expected = Float.parseFloat(values.get(i).asText());
        assertEquals(expected, decoded[i], 0f, format + " element " + i);
      }
      seen.add(format.id());
    }
    assertEquals(
        new TreeSet<>(
            Set.of(
                "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4", "Q2_K",
                "Q3_K", "Q4_K", "Q5_K", "Q6_K")),
        seen);
  }

  @Test
  void everyStandardFormatHasACodecAndNoOther() {
    for (BlockFormat format : BlockFormat.standard()) {
      assertTrue(BlockCodec.of(format).isPresent(), format.id());
    }
    BlockFormat sameNameOtherBytes = new BlockFormat("Q4_0", 32, 20, ScalePlane.INLINE);
    assertTrue(BlockCodec.of(sameNameOtherBytes).isEmpty());
  }

  @Test
  void f32IsItself() {
    float[] values = {1.5f, -0.0f, Float.MIN_VALUE, Float.POSITIVE_INFINITY};
    MemorySegment data = MemorySegment.ofArray(new byte[16]);
    MemorySegment.copy(values, 0, data, JAVA_FLOAT_UNALIGNED, 0, 4);
    assertArrayEquals(values, decodeRow(new WeightMatrix(BlockFormat.F32, data, 1, 4), 0), 0f);
  }

  @Test
  void iq4NlByHand() {
    byte[] block = new byte[18];
    block[1] = (byte) 0x38; // d: 0.5
    for (int j = 0; j < 16; j++) {
      block[2 + j] = (byte) (j << 4 | 15 - j); // elements j: 15 - j, j + 16: j
    }
    WeightMatrix w = new WeightMatrix(BlockFormat.IQ4_NL, MemorySegment.ofArray(block), 1, 32);
    assertArrayEquals(
        new float[] {
          56.5f, 44.5f, 34.5f, 26.5f, 19, 12.5f, 6.5f, 0.5f, -5, -11, -17.5f, -24.5f, -32.5f,
          -41.5f, -52, -63.5f, -63.5f, -52, -41.5f, -32.5f, -24.5f, -17.5f, -11, -5, 0.5f, 6.5f,
          12.5f, 19, 26.5f, 34.5f, 44.5f, 56.5f
        },
        decodeRow(w, 0));
  }

  /// Numbers of E2M1, 0 to 6 and their negatives, times `2^(e - 127)`.
  @Test
  void mxfp4ByHand() {
    byte[] block = new byte[17];
    block[0] = (byte) 128; // 2
    for (int j = 0; j < 16; j++) {
      block[1 + j] = (byte) (j << 4 | 15 - j); // elements j: 15 - j, j + 16: j
    }
    assertArrayEquals(
        new float[] {
          -12, -8, -6, -4, -3, -2, -1, 0, 12, 8, 6, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 6, 8, 12, 0, -1,
          -2, -3, -4, -6, -8, -12
        },
        decodeRow(mxfp4(block), 0));
    block[0] = 0; // 2^-127, whose half is subnormal too
    assertEquals(-0x1.8p-125f, decodeRow(mxfp4(block), 0)[0]);
    block[0] = (byte) 255;
    for (float value : decodeRow(mxfp4(block), 0)) {
      assertTrue(
          Float.isNaN(value)); // where ggml, which does not ask, has up to 2^127 and infinity
    }
  }

  private static WeightMatrix mxfp4(byte[] block) {
    return new WeightMatrix(BlockFormat.MXFP4, MemorySegment.ofArray(block), 1, 32);
  }

  @Test
  void int4ByHand() {
    byte[] nibbles = new byte[32]; // 2 rows of one block
    nibbles[0] = (byte) 0xF0; // elements 0, 1: 0, 15
    nibbles[1] = (byte) 0x19; // elements 2, 3: 9, 1
    nibbles[31] = (byte) 0x7A; // row 1, elements 30, 31: 10, 7
    MemorySegment scales = MemorySegment.ofArray(new byte[4]);
    scales.set(JAVA_SHORT_UNALIGNED, 0, (short) 0x3F00); // 0.5
    scales.set(JAVA_SHORT_UNALIGNED, 2, (short) 0xC040); // -3
    WeightMatrix w =
        new WeightMatrix(BlockFormat.INT4_B32, MemorySegment.ofArray(nibbles), scales, 2, 32);

    float[] row0 = decodeRow(w, 0);
    float[] row1 = decodeRow(w, 1);
    assertArrayEquals(
        new float[] {-4, 3.5f, 0.5f, -3.5f, -4},
        new float[] {row0[0], row0[1], row0[2], row0[3], row0[4]});
    assertArrayEquals(new float[] {24, -6, 3}, new float[] {row1[0], row1[30], row1[31]});
  }

  @Test
  void int8ByHand() {
    MemorySegment data = MemorySegment.ofArray(new byte[] {-128, 127, 0, 1, 2, -1});
    MemorySegment scales = MemorySegment.ofArray(new byte[8]);
    scales.set(JAVA_FLOAT_UNALIGNED, 0, 0.25f);
    scales.set(JAVA_FLOAT_UNALIGNED, 4, 3f);
    WeightMatrix w = new WeightMatrix(BlockFormat.INT8_C, data, scales, 2, 3);

    assertArrayEquals(new float[] {-32, 31.75f, 0}, decodeRow(w, 0));
    assertArrayEquals(new float[] {3, 6, -3}, decodeRow(w, 1));
  }

  /// All formats, against a decoder that reads single bits by the positions of section F.
  @Property(tries = 200)
  void decodesByBitPositions(
      @ForAll("formats") BlockFormat format,
      @ForAll @IntRange(min = 1, max = 3) int outputs,
      @ForAll @IntRange(min = 1, max = 3) int blocks,
      @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      int inputs = blocks * format.blockElements();
      WeightMatrix w = TestWeights.random(format, outputs, inputs, new Random(seed), arena);
      for (int o = 0; o < outputs; o++) {
        assertArrayEquals(TestWeights.decode(w)[o], decodeRow(w, o), 0f, format + " row " + o);
      }
    }
  }

  /// As above with any bytes at all: NaN, infinite and subnormal scales.
  @Property(tries = 200)
  void decodesAnyBytes(@ForAll("formats") BlockFormat format, @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix w =
          TestWeights.random(format, 2, format.blockElements(), new Random(seed), arena);
      Random random = new Random(seed);
      for (MemorySegment plane : new MemorySegment[] {w.data(), w.scales()}) {
        for (long i = 0; i < plane.byteSize(); i++) {
          plane.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
      }
      assertArrayEquals(TestWeights.decode(w)[1], decodeRow(w, 1), 0f);
    }
  }

  @Property(tries = 100)
  void decodesPartsOfARowAndNothingBeside(
      @ForAll("formats") BlockFormat format,
      @ForAll @IntRange(min = 0, max = 3) int first,
      @ForAll @IntRange(min = 0, max = 2) int count,
      @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      int inputs = 5 * format.blockElements();
      WeightMatrix w = TestWeights.random(format, 2, inputs, new Random(seed), arena);
      int elements = count * format.blockElements();
      MemorySegment dst = arena.allocate(4L * (elements + 2), 4);
      dst.fill((byte) 0x7F);
      codec(format).decode(w, 1, first, count, dst, 4);

      float outside = Float.intBitsToFloat(0x7F7F7F7F);
      assertEquals(outside, dst.getAtIndex(JAVA_FLOAT, 0));
      assertEquals(outside, dst.getAtIndex(JAVA_FLOAT, elements + 1));
      for (int i = 0; i < elements; i++) {
        float expected = TestWeights.value(w, 1, first * format.blockElements() + i);
        assertEquals(expected, dst.getAtIndex(JAVA_FLOAT, 1 + i), 0f, format + " element " + i);
      }
    }
  }

  @Test
  void rowsAndBlocksThatDoNotExistAreErrors() {
    try (Arena arena = Arena.ofConfined()) {
      for (BlockFormat format : BlockFormat.standard()) {
        int inputs = 2 * format.blockElements();
        WeightMatrix w = TestWeights.random(format, 2, inputs, new Random(1), arena);
        MemorySegment dst = arena.allocate(4L * 4 * inputs, 4);
        BlockCodec codec = codec(format);
        assertThrows(IndexOutOfBoundsException.class, () -> codec.decodeRow(w, 2, dst, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> codec.decode(w, 0, 1, 2, dst, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> codec.decode(w, 0, -1, 1, dst, 0));
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> codec.decodeRow(w, 1, dst, dst.byteSize() - 4L * inputs + 4));
      }
    }
  }

  @Provide
  Arbitrary<BlockFormat> formats() {
    return Arbitraries.of(BlockFormat.standard());
  }

  private static BlockCodec codec(BlockFormat format) {
    return BlockCodec.of(format).orElseThrow();
  }

  private static float[] decodeRow(WeightMatrix w, int row) {
    float[] decoded = new float[w.inputs()];
    codec(w.format()).decodeRow(w, row, MemorySegment.ofArray(decoded), 0);
    return decoded;
  }
}
