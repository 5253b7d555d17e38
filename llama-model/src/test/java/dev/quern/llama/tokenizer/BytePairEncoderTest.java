package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class BytePairEncoderTest {
  @Test
  void mergesByRankAndThenFromTheLeft() {
    TestDefinition d = TestDefinition.bytePair("b c", "a b", "a a", "aa a");
    d.add("xaaax", 1); // in the vocabulary, reached by no merge
    Tokenizer tokenizer = d.tokenizer();
    assertEquals(List.of("a", "bc"), texts(tokenizer, "abc"));
    assertEquals(List.of("aa", "aaa", "z"), texts(tokenizer, "aaaaaz"));
    assertEquals(List.of("xaaax"), texts(tokenizer, "xaaax"));
    assertEquals(List.of("x", "aaa", "x", "z"), texts(tokenizer, "xaaaxz"));
  }

  @Property
  void equalsRescanningForTheBestPair(
      @ForAll("merges") List<String> merges, @ForAll("words") String word) {
    Tokenizer tokenizer = TestDefinition.bytePair(merges.toArray(String[]::new)).tokenizer();
    if (tokenizer.id(word).isEmpty()) {
      assertEquals(rescan(merges, word), texts(tokenizer, word), () -> merges + " on " + word);
    }
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.strings().withChars("abc").ofMinLength(1).ofMaxLength(24);
  }

  /// Lists where every part is a letter or made by an earlier merge.
  @Provide
  Arbitrary<List<String>> merges() {
    return Arbitraries.integers()
        .between(0, 1000)
        .tuple2()
        .list()
        .ofMinSize(1)
        .ofMaxSize(12)
        .map(picks -> {
          List<String> parts = new ArrayList<>(List.of("a", "b", "c"));
          List<String> merges = new ArrayList<>();
          for (var pick : picks) {
            String left = parts.get(pick.get1() % parts.size());
            String right = parts.get(pick.get2() % parts.size());
            if (!merges.contains(left + " " + right)) {
              merges.add(left + " " + right);
              parts.add(left + right);
            }
          }
          return merges;
        });
  }

  @Property
  void decodingReturnsEveryText(@ForAll("texts") String text) {
    Tokenizer tokenizer = TestDefinition.bytePair("Ġ t", "e r", "Ġt er").tokenizer();
    assertEquals(text, tokenizer.decode(tokenizer.encode(text, false)));
  }

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  @Property
  void unpairedSurrogatesBecomeReplacementCharacters(@ForAll("anyTexts") String text) {
    String expected =
        text.replaceAll("[\\ud800-\\udbff](?![\\udc00-\\udfff])", "\ufffd")
            .replaceAll("(?<![\\ud800-\\udbff])[\\udc00-\\udfff]", "\ufffd");
    Tokenizer tokenizer = TestDefinition.bytePair("Ġ t").tokenizer();
    assertEquals(expected, tokenizer.decode(tokenizer.encode(text, true)));
  }

  @Provide
  Arbitrary<String> anyTexts() {
    return Texts.any();
  }

  /// A word of a million letters: merging that is quadratic would never end.
  @Test
  void longWordsMerge() {
    Tokenizer tokenizer = TestDefinition.bytePair("a a", "aa aa", "Ġ Ġ", "1 1").tokenizer();
    assertEquals(1 << 18, tokenizer.encode("a".repeat(1 << 20), false).length);
    assertEquals(1 << 19, tokenizer.encode(" ".repeat(1 << 20), false).length);
    assertEquals(1 << 20, tokenizer.encode("!".repeat(1 << 20), false).length);
    String mixed = "ab".repeat(1 << 19);
    assertEquals(mixed, tokenizer.decode(tokenizer.encode(mixed, false)));
  }

  @Test
  void textOutsideTheByteAlphabetDecodesAsItself() {
    TestDefinition d = TestDefinition.bytePair("a a");
    int id = d.add("日本 ok", 1);
    Tokenizer tokenizer = d.tokenizer();
    assertArrayEquals("日本 ok".getBytes(StandardCharsets.UTF_8), tokenizer.bytes(id));
    assertEquals("日本 ok", tokenizer.decode(new int[] {id}));
  }

  private static List<String> texts(Tokenizer tokenizer, String text) {
    List<String> texts = new ArrayList<>();
    for (int id : tokenizer.encode(text, false)) {
      texts.add(tokenizer.text(id));
    }
    return texts;
  }

  private static List<String> rescan(List<String> merges, String word) {
    List<String> symbols = new ArrayList<>(List.of(word.split("")));
    while (true) {
      int best = Integer.MAX_VALUE;
      int at = -1;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        int rank = merges.indexOf(symbols.get(i) + " " + symbols.get(i + 1));
        if (rank >= 0 && rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) {
        return symbols;
      }
      symbols.set(at, symbols.get(at) + symbols.remove(at + 1));
    }
  }
}
