package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a vocabulary may leave out, as llama.cpp runs it.
class LenientVocabularyTest {
  @Test
  void withoutTypesTokensAreNormal() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "b", "ab");
    Tokenizer typed = d.tokenizer();
    d.types.clear();
    Tokenizer untyped = d.tokenizer();
    for (String text : new String[] {"ab", " abba", "é\n", "<unk>a<s>"}) {
      assertArrayEquals(typed.encode(text, false), untyped.encode(text, false), text);
      assertArrayEquals(typed.encode(text, true), untyped.encode(text, true), text);
      assertEquals(text, untyped.decode(untyped.encode(text, false)));
    }
    assertTrue(untyped.isControl(1));

    TestDefinition bytes = TestDefinition.bytePair("a b");
    bytes.types.clear();
    Tokenizer bytePair = bytes.tokenizer();
    assertEquals("ab<|x|>", bytePair.decode(bytePair.encode("ab<|x|>", false)));
    assertTrue(bytePair.isControl(bytePair.id("<|eot_id|>").orElseThrow()));
  }

  @Test
  void withoutScoresTheLeftmostPairMerges() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "b", "c", "bc", "ab");
    d.scores.clear();
    Tokenizer tokenizer = d.tokenizer();
    assertEquals("ab", tokenizer.text(tokenizer.encode("abc", false)[1]));
  }

  @Test
  void anEmptyTokenIsNamed() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "");
    int id = d.tokens.size() - 1;
    assertEquals("[EMPTY_" + id + "]", d.tokenizer().text(id));
  }

  @Test
  void theTypeZeroIsNormal() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a", "b", "ab");
    int ab = d.tokens.size() - 1;
    d.types.set(ab, 0);
    int[] ids = d.tokenizer().encode("ab", false);
    assertEquals(ab, ids[ids.length - 1]);
    assertEquals("ab", d.tokenizer().decode(ids));
  }

  /// Names of Llama 3's regular expression, whether a word that is a token is taken as it is, and
  /// whether BOS is written where nothing is said.
  @ParameterizedTest
  @CsvSource({
    "llama-bpe, true", "llama3, true", "llama-v3, true", "falcon3, true", "falcon-h1, true",
    "pixtral, true", "midm-2.0, true", "lfm2, true", "smaug-bpe, false", "dbrx, false"
  })
  void namesOfLlama3sWords(String name, boolean ignoresMerges) {
    TestDefinition d = TestDefinition.bytePair("b c");
    d.add("abc", 1); // no merge makes it
    d.pre = Optional.of(name);
    Tokenizer tokenizer = d.tokenizer();
    assertEquals(ignoresMerges ? 1 : 2, tokenizer.encode("abc", false).length);
    assertEquals(ignoresMerges, tokenizer.addsBos());
    assertEquals(5, tokenizer.encode("12345", false).length); // 123, 45, bytes each
  }

  @Test
  void aPreTokenizerCanBeNamed() {
    TestDefinition d = TestDefinition.bytePair("a b");
    d.pre = Optional.of("bloom");
    String message = assertThrows(TokenizerException.class, d::tokenizer).getMessage();
    assertTrue(message.contains("--pre-tokenizer"), message);
    Tokenizer named = new Tokenizer(d.definition().withPre(Optional.of("smaug-bpe")));
    assertFalse(named.addsBos());
    assertThrows(
        TokenizerException.class,
        () -> new Tokenizer(d.definition().withPre(Optional.of("none such"))));
    Definition other = TestDefinition.sentencePiece("a").definition();
    assertThrows(TokenizerException.class, () -> other.withPre(Optional.of("llama-bpe")));
  }

  @Test
  void theUnknownTokenIsTheFirstWhereNothingIsSaid() {
    TestDefinition d = TestDefinition.sentencePiece("▁", "a");
    d.tokens.set(3, "another"); // the byte 0
    d.types.clear();
    d.unknown = OptionalLong.empty();
    assertArrayEquals(new int[] {0}, tail(d.tokenizer().encode("\0", false)));
  }

  private static int[] tail(int[] ids) {
    return new int[] {ids[ids.length - 1]};
  }
}
