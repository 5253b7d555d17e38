package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  private final TestDefinition definition = TestDefinition.bytePair("a a");
  private final Tokenizer tokenizer = definition.tokenizer(); // ids 0 .. 255 are the bytes

  @Property(tries = 20_000)
  void equalsDecodingAllBytesAtOnce(@ForAll("byteStrings") List<Integer> values) {
    byte[] bytes = new byte[values.size()];
    StreamingDecoder decoder = StreamingDecoder.atStart(tokenizer, false);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = values.get(i).byteValue();
      String piece = decoder.next(values.get(i));
      assertFalse(
          !piece.isEmpty() && Character.isHighSurrogate(piece.charAt(piece.length() - 1)), piece);
      text.append(piece);
    }
    text.append(decoder.finish());
    assertEquals(new String(bytes, StandardCharsets.UTF_8), text.toString());
  }

  /// Lead bytes, continuation bytes and the borders of what UTF-8 allows after each.
  @Provide
  Arbitrary<List<Integer>> byteStrings() {
    Arbitrary<Integer> edgy =
        Arbitraries.of(
            0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe2,
            0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5, 0xff);
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 255);
    return Arbitraries.frequencyOf(Tuple.of(3, edgy), Tuple.of(1, any)).list().ofMaxSize(12);
  }

  @Property
  void givesEachCharacterWithItsLastByte(@ForAll("texts") String text) {
    StreamingDecoder decoder = StreamingDecoder.atStart(tokenizer, false);
    text.codePoints()
        .mapToObj(Character::toString)
        .forEach(character -> {
          byte[] bytes = character.getBytes(StandardCharsets.UTF_8);
          for (int i = 0; i < bytes.length; i++) {
            String expected = i + 1 < bytes.length ? "" : character;
            assertEquals(expected, decoder.next(bytes[i] & 0xff));
          }
        });
    assertEquals("", decoder.finish());
  }

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  @Test
  void controlTokensShowOnRequest() {
    int eot = tokenizer.eot().orElseThrow();
    assertEquals("A", tokenizer.decode(new int[] {eot, 'A', eot}));
    assertEquals("<|eot_id|>A", tokenizer.decode(new int[] {eot, 'A'}, true));
  }

  @Test
  void finishTellsOfTruncatedBytesAndGoesOn() {
    StreamingDecoder decoder = StreamingDecoder.atStart(tokenizer, false);
    assertEquals("", decoder.next(0xe2));
    assertEquals("\ufffd", decoder.finish());
    assertEquals("A", decoder.next('A'));
    assertEquals("", decoder.finish());
  }
}
