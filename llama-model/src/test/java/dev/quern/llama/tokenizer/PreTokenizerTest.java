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

/// Words of Qwen2 and SmolLM; those of Llama 3 are in [Llama3SplitterTest].
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

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  /// A million characters of one kind: linear time and a flat stack, or this never ends.
  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "smollm"})
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
    Words words = PreTokenizer.byName(Optional.of(name)).words();
    List<String> found = new ArrayList<>();
    for (int from = 0, to; from < text.length(); from = to) {
      to = words.end(text, from);
      found.add(text.substring(from, to));
    }
    return found;
  }
}
