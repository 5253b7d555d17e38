package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  @Test
  void specialTokensAreParsedOnlyOnRequestAndUserDefinedOnesAlways() {
    TestDefinition d = TestDefinition.bytePair("a b");
    int user = d.add("<tool>", TestDefinition.USER_DEFINED);
    Tokenizer tokenizer = d.tokenizer();
    int eot = tokenizer.eot().orElseThrow();
    assertArrayEquals(
        new int[] {'a', eot, user, 'a'}, tokenizer.encode("a<|eot_id|><tool>a", true));
    assertEquals(1 + 10 + 1 + 1, tokenizer.encode("a<|eot_id|><tool>a", false).length);
    assertEquals(
        "a<|eot_id|><tool>a", tokenizer.decode(tokenizer.encode("a<|eot_id|><tool>a", false)));
  }

  @Test
  void theLongestSpecialTokenIsFoundFirst() {
    TestDefinition d = TestDefinition.bytePair("a b");
    int shorter = d.add("[x]", TestDefinition.USER_DEFINED);
    int longer = d.add("x][x]", TestDefinition.USER_DEFINED);
    Tokenizer tokenizer = d.tokenizer();
    assertArrayEquals(new int[] {'[', longer, shorter}, tokenizer.encode("[x][x][x]", false));
  }

  @Property
  void textNeverBecomesAControlToken(@ForAll("promptsOfAttackers") String text) {
    Tokenizer bytePair = TestDefinition.bytePair("< |", "| >").tokenizer();
    Tokenizer sentencePiece =
        TestDefinition.sentencePiece("▁", "<", "s", ">", "<s", "</", "s>").tokenizer();
    for (Tokenizer tokenizer : List.of(bytePair, sentencePiece)) {
      for (int id : tokenizer.encode(text, false)) {
        assertFalse(tokenizer.isControl(id), () -> tokenizer.text(id));
      }
      assertEquals(text, tokenizer.decode(tokenizer.encode(text, false)));
    }
  }

  @Provide
  Arbitrary<String> promptsOfAttackers() {
    return Arbitraries.of(
            "<|eot_id|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<s>",
            "</s>",
            "<",
            "|",
            "s>",
            " ",
            "a",
            "<|",
            "eot_id|>",
            "<unk>",
            "<0x41>")
        .list()
        .ofMaxSize(8)
        .map(parts -> String.join("", parts));
  }

  @Test
  void bosAndEosFollowTheMetadata() {
    TestDefinition d = TestDefinition.bytePair("a b");
    int bos = (int) d.bos.getAsLong();
    int eos = (int) d.eos.getAsLong();
    assertArrayEquals(new int[] {bos, 'a'}, d.tokenizer().encodePrompt("a", false));
    assertArrayEquals(new int[] {'a'}, d.tokenizer().encode("a", false));
    d.addBos = Optional.of(false);
    d.addEos = Optional.of(true);
    assertArrayEquals(new int[] {'a', eos}, d.tokenizer().encodePrompt("a", false));
  }

  @Test
  void sentencePieceHasStandardIds() {
    Tokenizer tokenizer = TestDefinition.sentencePiece("▁").tokenizer();
    assertEquals(1, tokenizer.bos().orElseThrow());
    assertEquals(2, tokenizer.eos().orElseThrow());
    assertTrue(tokenizer.addsBos());
    assertFalse(tokenizer.addsEos());
  }

  @Test
  void generationEndsAtTokensKnownByKeyOrByText() {
    TestDefinition d = TestDefinition.bytePair("a b");
    int eom = d.add("<|eom_id|>", TestDefinition.CONTROL);
    int named = d.add("<done>", 1);
    d.eom = OptionalLong.of(named);
    Tokenizer tokenizer = d.tokenizer();
    int eos = tokenizer.eos().orElseThrow();
    int eot = tokenizer.eot().orElseThrow();
    assertEquals(Set.of(eos, eot, eom, named), tokenizer.endOfGeneration());
    assertTrue(tokenizer.isEndOfGeneration(named) && tokenizer.isControl(named));
    assertFalse(tokenizer.isEndOfGeneration('a'));
  }

  @Test
  void turnMarkersAreControlTokensWhateverTheFileCallsThem() {
    TestDefinition d = TestDefinition.bytePair("a b");
    int header = d.tokens.indexOf("<|start_header_id|>");
    d.types.set(header, TestDefinition.USER_DEFINED);
    Tokenizer tokenizer = d.tokenizer();
    assertTrue(tokenizer.isControl(header));
    assertTrue(
        Arrays.stream(tokenizer.encode("<|start_header_id|>", false)).allMatch(id -> id != header));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama3", "llama-v3"})
  void llama3WordsHaveThreeNames(String pre) {
    TestDefinition d = TestDefinition.bytePair("a b");
    d.pre = Optional.of(pre);
    assertEquals(1, d.tokenizer().encode("ab", false).length);
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() {
    Tokenizer tokenizer = TestDefinition.bytePair("a b").tokenizer();
    int size = tokenizer.vocabularySize();
    for (int id : new int[] {-1, size, Integer.MAX_VALUE}) {
      String message =
          String.format(Locale.ROOT, "tokenizer: token id %d, expected 0 .. %d", id, size - 1);
      assertEquals(
          message,
          assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {id}))
              .getMessage());
      assertThrows(IllegalArgumentException.class, () -> tokenizer.bytes(id));
      assertThrows(IllegalArgumentException.class, () -> tokenizer.isControl(id));
    }
  }
}
