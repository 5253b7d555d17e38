package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Half;
import dev.quern.conformance.linear.BlockLayout;
import dev.quern.conformance.linear.DecodedWeights;
import dev.quern.conformance.linear.WeightBytes;
import dev.quern.conformance.linear.WeightValues;
import dev.quern.data.BlockFormat;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The oracle's own decoders.
class DecodedWeightsTest {
  static Stream<String> golden() {
    return Stream.of(
        "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4", "Q2_K", "Q3_K",
        "Q4_K", "Q5_K", "Q6_K");
  }

  @ParameterizedTest
  @MethodSource("golden")
  void decodesWhatGgufPyDecodes(String format) throws IOException {
    try (InputStream in = getClass().getResourceAsStream("golden-blocks.json")) {
      assertNotNull(in);
      JsonNode golden = new ObjectMapper().readTree(in).get("formats").get(format);
      byte[] bytes = HexFormat.of().parseHex(golden.get("bytes").asText());
      JsonNode values = golden.get("values");
      BlockFormat block = BlockFormat.byId(format).orElseThrow();
      DecodedWeights decoded = DecodedWeights.decode(block, bytes, new byte[0], 1, values.size());
      for (int i = 0; i < values.size(); i++) {
        assertEquals((float) values.get(i).asDouble(), decoded.values()[i], "element " + i);
      }
    }
  }

  /// The two families that gguf-py has none of, worked out by hand from SPEC.md.
  @Test
  void decodesScalePlanes() {
    byte[] nibbles = new byte[32]; // 2 rows of 32
    nibbles[0] = (byte) 0xf0; // row 0: element 0 is 0 - 8, element 1 is 15 - 8
    nibbles[16] = 0x19; // row 1: element 0 is 9 - 8, element 1 is 1 - 8
    byte[] scales = {0x00, 0x40, (byte) 0x80, (byte) 0xbf}; // bf16 2 and -1
    DecodedWeights int4 = DecodedWeights.decode(BlockFormat.INT4_B32, nibbles, scales, 2, 32);
    assertEquals(-16, int4.values()[0]);
    assertEquals(14, int4.values()[1]);
    assertEquals(-1, int4.values()[32]);
    assertEquals(7, int4.values()[33]);

    byte[] f32 = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x3f}; // 1 and 0.5
    DecodedWeights int8 =
        DecodedWeights.decode(BlockFormat.INT8_C, new byte[] {-128, 127, 3, -3}, f32, 2, 2);
    assertEquals(-128, int8.values()[0]);
    assertEquals(-1.5f, int8.values()[3]);
  }

  static Stream<BlockFormat> formats() {
    return BlockFormat.standard().stream();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void oneHotWeightsAreOneWhereTheySay(BlockFormat format) {
    int inputs = 2 * format.blockElements() + (format.blockElements() == 1 ? 5 : 0);
    long seed = 11;
    WeightBytes bytes =
        WeightBytes.generate(
            format, WeightValues.ONE_HOT, 3, inputs, 4, seed, new Mix(seed, "weights"));
    DecodedWeights w = DecodedWeights.decode(format, bytes.data(), bytes.scales(), 3, inputs);
    BlockLayout layout = BlockLayout.of(format.id());
    int one = layout == null ? 1 : layout.one();
    int none = layout == null ? 0 : layout.none();
    for (int o = 0; o < 3; o++) {
      for (int i = 0; i < inputs; i++) {
        float expected = i == WeightBytes.hotInput(4 + o, inputs, seed) ? one : none;
        assertEquals(
            expected, w.values()[o * inputs + i], String.format(Locale.ROOT, "W[%d][%d]", o, i));
      }
    }
  }

  @Test
  void halvesAreWhatTheJdkSaysTheyAre() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float expected = Float.float16ToFloat((short) bits);
      assertEquals(expected, (float) Half.f16(bits), String.format(Locale.ROOT, "0x%04x", bits));
    }
    Mix mix = new Mix(1, "halves");
    for (int i = 0; i < 200_000; i++) {
      float value = (float) mix.wide(-30, 20);
      assertEquals(Float.floatToFloat16(value), Half.toF16(value), Float.toHexString(value));
    }
  }
}
