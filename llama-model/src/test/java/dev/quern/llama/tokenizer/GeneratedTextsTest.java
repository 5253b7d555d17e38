package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.gguf.GgufFile;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// 2,000 generated texts: Unicode's classes, scripts, emoji, digits, contractions, runs of white
/// space, control characters, broken surrogates and what looks like special tokens.
class GeneratedTextsTest {
  private static final GeneratedTexts GENERATED = new GeneratedTexts();

  /// Marks are no letters to llama.cpp here, and letters beyond ASCII have no case.
  private static final Words LLAMA_CPP_GPT4O =
      new CasedSplitter(
          c -> Character.isLetter(c) && !(c >= 'a' && c <= 'z'),
          c -> Character.isLetter(c) && !(c >= 'A' && c <= 'Z'),
          3,
          true);

  private static final Words LLAMA_CPP_TEKKEN =
      new CasedSplitter(
          c -> Character.isLetter(c) && !(c >= 'a' && c <= 'z'),
          c -> Character.isLetter(c) && !(c >= 'A' && c <= 'Z'),
          1,
          false);

  /// `generated.py` gives all names of a kind to llama.cpp, and finds their ids equal.
  @Test
  void kindsAndNamesAreThoseOfLlamaCpp() {
    Map<String, List<String>> names = new TreeMap<>();
    for (PreTokenizer pre : PreTokenizer.all()) {
      String kind = pre.names().getFirst();
      names.put(kind, pre.names());
      assertEquals(GENERATED.addsBos(kind), pre.addsBos(), kind);
    }
    assertEquals(GENERATED.names(), names);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-bpe",
        "smaug-bpe",
        "qwen2",
        "stablelm2",
        "smollm",
        "gpt-2",
        "tekken",
        "gpt-4o"
      })
  void idsAreThoseOfHuggingFace(String pre) {
    assertSame("/tokenizers/" + pre, encoder(PreTokenizer.byName(Optional.of(pre))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama-bpe", "smaug-bpe", "qwen2", "stablelm2", "smollm", "gpt-2", "default"})
  void idsAreThoseOfLlamaCpp(String pre) {
    assertSame("/llama.cpp/" + pre, encoder(PreTokenizer.byName(Optional.of(pre))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tekken", "gpt-4o"})
  void casedWordsAreThoseOfLlamaCppWithItsClasses(String pre) {
    PreTokenizer own = PreTokenizer.byName(Optional.of(pre));
    Words words = pre.equals("tekken") ? LLAMA_CPP_TEKKEN : LLAMA_CPP_GPT4O;
    assertSame(
        "/llama.cpp/" + pre,
        encoder(new PreTokenizer(own.names(), List.of(words), false, own.ignoresMerges(), false)));
    List<String> differing = GENERATED.differing("/llama.cpp/" + pre, encoder(own));
    assertTrue(differing.stream().allMatch(GeneratedTextsTest::hasForeignLetters));
  }

  /// As Gemma's vocabulary, and with a space before texts.
  @ParameterizedTest
  @EnumSource(names = {"NEVER", "EACH"})
  void piecesAreThoseOfLlamaCpp(SpacePrefix prefix) {
    Tokenizer tokenizer = GENERATED.pieces(prefix);
    String key = "/llama.cpp/pieces-" + prefix.name().toLowerCase(Locale.ROOT);
    assertSame(key + "/0", text -> tokenizer.encode(text, false));
    assertSame(key + "/1", text -> tokenizer.encode(text, true));
  }

  private static boolean hasForeignLetters(String text) {
    return text.codePoints()
        .anyMatch(c -> c > 127 && (Character.isLetter(c) || CharacterClasses.isMark(c)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vocabularies/ggml-vocab-gpt-2.gguf",
        "vocabularies/ggml-vocab-llama-spm.gguf",
        "vocabularies/ggml-vocab-phi-3.gguf",
        "models/llama3-vocab.gguf"
      })
  void wholeVocabulariesGiveTheIdsOfLlamaCpp(String path) throws IOException {
    try (GgufFile gguf = GgufFile.open(SharedFiles.file(path))) {
      Tokenizer tokenizer = Tokenizer.from(gguf.metadata());
      String key = "/vocabularies/" + path.substring(path.indexOf('/') + 1);
      assertSame(key + "/0", text -> tokenizer.encode(text, false));
      assertSame(key + "/1", text -> tokenizer.encode(text, true));
    }
  }

  private static Function<String, int[]> encoder(PreTokenizer pre) {
    Definition definition = GENERATED.vocabulary(pre.names().getFirst()).completed();
    BytePairEncoder encoder =
        new BytePairEncoder(new Vocabulary(definition), definition.merges(), pre);
    return text -> {
      IntBuffer out = new IntBuffer();
      if (!text.isEmpty()) {
        encoder.encode(WellFormed.of(text), TextEncoder.Place.START, out);
      }
      return out.toArray();
    };
  }

  private static void assertSame(String path, Function<String, int[]> encode) {
    List<String> differing = GENERATED.differing(path, encode);
    assertEquals(2000, GENERATED.texts().size());
    assertTrue(
        differing.isEmpty(),
        () ->
            path
                + ": "
                + differing.size()
                + " texts, the shortest "
                + differing.stream()
                    .sorted(Comparator.comparingInt(String::length))
                    .limit(8)
                    .map(TokenizerException::quote)
                    .toList());
  }
}
