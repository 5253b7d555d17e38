package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Words of all kinds but Llama 3's, which are in [Llama3SplitterTest].
class PreTokenizerTest {
  /// The published expressions, with the classes that Java spells differently.
  private static final Pattern QWEN2 =
      Pattern.compile(
          "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
              + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
              + "|\\p{N}"
              + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+[\\r\\n]*"
              + "|\\p{IsWhite_Space}*[\\r\\n]+"
              + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})"
              + "|\\p{IsWhite_Space}+");

  private static final Pattern GPT2 =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+"
              + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})|\\p{IsWhite_Space}+");

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String ENDING = "(?:'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))?";

  private static Pattern cased(String contraction, String number) {
    String before = "[^\\r\\n\\p{L}\\p{N}]?";
    return Pattern.compile(
        before
            + UPPER
            + "*"
            + LOWER
            + "+"
            + contraction
            + "|"
            + before
            + UPPER
            + "+"
            + LOWER
            + "*"
            + contraction
            + "|"
            + number
            + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+[\\r\\n/]*"
            + "|\\p{IsWhite_Space}*[\\r\\n]+"
            + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})"
            + "|\\p{IsWhite_Space}+");
  }

  private static final Pattern TEKKEN = cased("", "\\p{N}");
  private static final Pattern GPT4O = cased(ENDING, "\\p{N}{1,3}");

  private static final Pattern NUMBERS_APART = Pattern.compile("\\p{N}|\\P{N}+");

  @Property(tries = 10_000)
  void qwen2CutsAsItsExpression(@ForAll("texts") String text) {
    assertEquals(matches(QWEN2, text).toList(), words("qwen2", text));
  }

  @Property(tries = 10_000)
  void smolLmCutsAsItsTwoSteps(@ForAll("texts") String text) {
    List<String> expected =
        matches(NUMBERS_APART, text).flatMap(piece -> matches(GPT2, piece)).toList();
    assertEquals(expected, words("smollm", text));
  }

  @Property(tries = 10_000)
  void gpt2CutsAsItsExpression(@ForAll("texts") String text) {
    assertEquals(matches(GPT2, text).toList(), words("gpt-2", text));
  }

  @Property(tries = 10_000)
  void casedWordsAreCutAsTheirExpressions(@ForAll("texts") String text) {
    assertEquals(matches(TEKKEN, text).toList(), words("tekken", text));
    assertEquals(matches(GPT4O, text).toList(), words("gpt-4o", text));
  }

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  @Test
  void slashesStayWithTheNewlinesBehindSymbols() {
    assertEquals(List.of("!\n/\n/", "x"), words("tekken", "!\n/\n/x"));
    assertEquals(List.of("a's", "!\n/"), words("gpt-4o", "a's!\n/"));
  }

  @Test
  void defaultCutsSignsAndThreeDigitsOfAscii() {
    assertEquals(
        List.of("a", "123", "456", "7", " ", "+", "\u00bd", "123"),
        words("default", "a1234567 +\u00bd123"));
  }

  /// A million characters of one kind: linear time and a flat stack, or this never ends.
  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "smollm", "gpt-2", "tekken", "gpt-4o", "default"})
  void longRunsAreScannedOnce(String pre) {
    Tokenizer tokenizer = tokenizer(pre);
    for (String unit : List.of(" ", "a", "1", "!", "\n", " \n", "'", "é", "\u0323\u0301")) {
      String text = unit.repeat((1 << 20) / unit.length());
      assertTrue(tokenizer.encode(text, false).length > 0, unit);
    }
  }

  /// llama.cpp's ids, with Llama 3's vocabulary (`pre-tokenizers.py`).
  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "smollm"})
  void idsAreThoseOfLlamaCpp(String pre) throws IOException {
    JsonNode reference;
    try (InputStream in =
        PreTokenizerTest.class.getResourceAsStream("pre-tokenizers.reference.json")) {
      reference = new ObjectMapper().readTree(in);
    }
    try (GgufFile gguf = GgufFile.open(SharedFiles.file("models/llama3-vocab.gguf"))) {
      Tokenizer tokenizer = Tokenizer.from(gguf.metadata(), Optional.of(pre));
      int texts = 0;
      for (JsonNode text : reference.get("texts")) {
        int[] expected =
            new ObjectMapper().convertValue(reference.get(pre).get(texts++), int[].class);
        assertArrayEquals(expected, tokenizer.encode(text.asText(), false), text.asText());
      }
      assertEquals(54, texts);
    }
  }

  /// Qwen2's own tokenizer composes first; Llama 3's has no normalizer.
  @Test
  void qwen2ComposesCharacters() {
    assertEquals("\u00e9", roundTrip("qwen2", "e\u0301"));
    assertEquals("e\u0301", roundTrip("llama-bpe", "e\u0301"));
    assertEquals("e\u0301", roundTrip("smollm", "e\u0301"));
  }

  /// Qwen2's merges make `</s>`, which ends a struck-out text there and no generation.
  @Test
  void aTokenThatMergesMakeEndsNothing() {
    TestDefinition definition = TestDefinition.bytePair("< /", "</ s", "</s >");
    definition.pre = Optional.of("qwen2");
    Tokenizer tokenizer = definition.tokenizer();
    int id = tokenizer.id("</s>").orElseThrow();
    assertFalse(tokenizer.endOfGeneration().contains(id));
    assertEquals("</s>", tokenizer.decode(new int[] {id}));
  }

  /// Gemma's `</s>` is HTML, as are `<s>` and 200 others; Phi-3's ends a text.
  @Test
  void aUserDefinedSentenceEndIsTextUnlessItsStartBeginsTexts() {
    TestDefinition definition = TestDefinition.bytePair("a b");
    int html = definition.add("</s>", TestDefinition.USER_DEFINED);
    Tokenizer tokenizer = definition.tokenizer();
    assertFalse(tokenizer.endOfGeneration().contains(html));
    assertArrayEquals(new int[] {html}, tokenizer.encode("</s>", false));
    definition.bos = OptionalLong.of(definition.add("<s>", TestDefinition.CONTROL));
    tokenizer = definition.tokenizer();
    assertTrue(tokenizer.endOfGeneration().contains(html));
    assertEquals(4, tokenizer.encode("</s>", false).length);
  }

  private static String roundTrip(String pre, String text) {
    Tokenizer tokenizer = tokenizer(pre);
    return tokenizer.decode(tokenizer.encode(text, false));
  }

  private static Tokenizer tokenizer(String pre) {
    TestDefinition definition = TestDefinition.bytePair("a b");
    definition.pre = Optional.of(pre);
    return definition.tokenizer();
  }

  private static Stream<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(MatchResult::group);
  }

  private static List<String> words(String name, String text) {
    List<String> found = new ArrayList<>();
    PreTokenizer.byName(Optional.of(name))
        .split(text, (from, to) -> found.add(text.substring(from, to)));
    return found;
  }
}
