package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class SentencePieceEncoderTest {
  @Test
  void theBestScoreMergesFirstAndOnlyText() {
    TestDefinition d =
        TestDefinition.sentencePiece("▁", "a", "b", "ab", "bb", "▁ab", "<", "s", ">");
    d.add("<s", 1); // with it, merging could reach the control token <s>
    Tokenizer tokenizer = d.tokenizer();
    assertEquals(List.of("▁ab", "b"), texts(tokenizer, "abb", false));
    assertEquals(List.of("▁", "<s", ">"), texts(tokenizer, "<s>", false));
    assertEquals(List.of("<s>"), texts(tokenizer, "<s>", true));
    assertEquals(List.of("▁", "a", "<s>", "▁", "b"), texts(tokenizer, "a<s>b", true));
    assertEquals(List.of("▁", "<0xC3>", "<0xA9>"), texts(tokenizer, "é", false));
  }

  @Test
  void equalScoresMergeFromTheLeft() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "aa");
    d.spacePrefix = Optional.of(SpacePrefix.NEVER);
    assertEquals(List.of("aa", "aa", "a"), texts(d.tokenizer(), "aaaaa", false));
  }

  @Test
  void theSpacePrefixIsAnOptionAndDecodingTakesItAway() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "▁a");
    Tokenizer with = d.tokenizer();
    d.spacePrefix = Optional.of(SpacePrefix.NEVER);
    Tokenizer without = d.tokenizer();
    assertEquals(List.of("▁a"), texts(with, "a", false));
    assertEquals(List.of("a"), texts(without, "a", false));
    assertEquals(" a", with.decode(with.encode(" a", false)));
    assertEquals(" a", without.decode(without.encode(" a", false)));
    assertArrayEquals(new int[0], with.encode("", false));
    int a = with.id("▁a").orElseThrow();
    assertEquals("a a", with.decode(new int[] {1, a, a}));
    StreamingDecoder continuing = StreamingDecoder.continuing(with, false);
    assertEquals(" a", continuing.next(a));
  }

  @Test
  void whatHasNeitherTokenNorBytesIsUnknown() {
    TestDefinition d = new TestDefinition();
    d.model = Optional.of("llama");
    d.add("<unk>", 2);
    d.add("<s>", 3);
    d.add("</s>", 3);
    d.add("a", 1);
    d.spacePrefix = Optional.of(SpacePrefix.NEVER);
    Tokenizer tokenizer = d.tokenizer();
    assertArrayEquals(new int[] {3, 0, 0, 3}, tokenizer.encode("aéa", false));
    assertEquals("aa", tokenizer.decode(tokenizer.encode("aéa", false)));
  }

  @Property
  void equalsRescanningForTheBestPair(
      @ForAll("pieces") Set<String> pieces, @ForAll("words") String word) {
    TestDefinition d = TestDefinition.sentencePiece(pieces.toArray(String[]::new));
    d.spacePrefix = Optional.of(SpacePrefix.NEVER);
    d.scores.replaceAll(score -> (float) Math.floor(score / 3)); // some are equal
    assertEquals(rescan(d, word), texts(d.tokenizer(), word, false), () -> pieces + " on " + word);
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.strings().withChars("abc").ofMinLength(1).ofMaxLength(24);
  }

  @Provide
  Arbitrary<Set<String>> pieces() {
    Arbitrary<String> piece = Arbitraries.strings().withChars("abc").ofMinLength(2).ofMaxLength(5);
    return piece.set().ofMaxSize(20);
  }

  @Property
  void decodingReturnsEveryTextWithoutTheSpaceSign(@ForAll("texts") String text) {
    Tokenizer tokenizer =
        TestDefinition.sentencePiece("▁", "a", "b", "▁a", "ab", "漢", "s", "'s").tokenizer();
    String plain = text.replace('▁', '_');
    assertEquals(plain, tokenizer.decode(tokenizer.encode(plain, false)));
  }

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  @Test
  void longTextsMerge() {
    Tokenizer tokenizer = TestDefinition.sentencePiece("▁", "▁▁", "a", "aa", "aaaa").tokenizer();
    assertEquals(1 + (1 << 18), tokenizer.encode("a".repeat(1 << 20), false).length);
    assertEquals(1 + (1 << 19), tokenizer.encode(" ".repeat(1 << 20), false).length);
  }

  private static List<String> texts(Tokenizer tokenizer, String text, boolean parseSpecial) {
    List<String> texts = new ArrayList<>();
    for (int id : tokenizer.encode(text, parseSpecial)) {
      texts.add(tokenizer.text(id));
    }
    return texts;
  }

  private static List<String> rescan(TestDefinition d, String word) {
    List<String> symbols = new ArrayList<>(List.of(word.split("")));
    while (true) {
      float best = Float.NEGATIVE_INFINITY;
      int at = -1;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        int id = d.tokens.indexOf(symbols.get(i) + symbols.get(i + 1));
        if (id >= 0 && d.scores.get(id) > best) {
          best = d.scores.get(id);
          at = i;
        }
      }
      if (at < 0) {
        break;
      }
      symbols.set(at, symbols.get(at) + symbols.remove(at + 1));
    }
    symbols.replaceAll(
        s -> d.tokens.contains(s) ? s : String.format(Locale.ROOT, "<0x%02X>", (int) s.charAt(0)));
    return symbols;
  }
}
