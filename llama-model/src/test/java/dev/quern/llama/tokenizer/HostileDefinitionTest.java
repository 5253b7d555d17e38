package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every defect of a model file is one line that names the key, what it holds and what was
/// expected.
class HostileDefinitionTest {
  static Stream<Arguments> defects() {
    return Stream.of(
        any("tokenizer.ggml.model is missing, expected llama or gpt2", d -> d.model = none()),
        any("tokenizer.ggml.model = \"bert\", expected llama or gpt2", d -> d.model = some("bert")),
        any("tokenizer.ggml.tokens is missing or empty, expected", d -> d.tokens.clear()),
        any(
            "are both \"[EMPTY_9]\", expected distinct texts",
            d -> {
              d.tokens.set(9, ""); // named so
              d.tokens.set(30, "[EMPTY_9]");
            }),
        any(
            "tokenizer.ggml.tokens[7] and [30] are both \"twice\", expected distinct texts",
            d -> {
              d.tokens.set(7, "twice");
              d.tokens.set(30, "twice");
            }),
        any(
            "tokenizer.ggml.token_type has 3 entries, expected ",
            d -> d.types = d.types.subList(0, 3)),
        any("tokenizer.ggml.token_type[4] = 7, expected 1 .. 6", d -> d.types.set(4, 7)),
        any("tokenizer.ggml.token_type[4] = -1, expected 1 .. 6", d -> d.types.set(4, -1)),
        any("tokenizer.ggml.bos_token_id = -1, expected 0 .. ", d -> d.bos = OptionalLong.of(-1)),
        any("tokenizer.ggml.eos_token_id = 70000, expected", d -> d.eos = OptionalLong.of(70_000)),
        any(
            "tokenizer.ggml.eot_token_id = 4294967295, ",
            d -> d.eot = OptionalLong.of(0xffffffffL)),
        any("tokenizer.ggml.eom_token_id = 4294967296, ", d -> d.eom = OptionalLong.of(1L << 32)),
        any("tokenizer.ggml.unknown_token_id = 70000, ", d -> d.unknown = OptionalLong.of(70_000)),
        bytePair("tokenizer.ggml.pre is missing, expected one of [llama-bpe,", d -> d.pre = none()),
        bytePair("tokenizer.ggml.pre = \"kimi-k2\", expected one", d -> d.pre = some("kimi-k2")),
        bytePair("tokenizer.ggml.pre = \"a\\nb\", expected one", d -> d.pre = some("a\nb")),
        bytePair("tokenizer.ggml.merges is missing or empty", d -> d.merges.clear()),
        bytePair("tokenizer.ggml.merges[1] = \"ab\", expected two texts", d -> d.merges.add("ab")),
        bytePair("tokenizer.ggml.merges[1] = \" a\", expected two texts", d -> d.merges.add(" a")),
        bytePair("tokenizer.ggml.merges[1] = \"a \", expected two texts", d -> d.merges.add("a ")),
        bytePair("tokenizer.ggml.merges[1] = \"\", expected two texts", d -> d.merges.add("")),
        bytePair("tokenizer.ggml.merges[1] = \"a b c\", expected two", d -> d.merges.add("a b c")),
        bytePair(
            "tokenizer.ggml.merges[1] = \"a zz\" needs the token \"zz\"",
            d -> d.merges.add("a zz")),
        bytePair(
            "tokenizer.ggml.merges[1] = \"z a\" needs the token \"za\"", d -> d.merges.add("z a")),
        bytePair(
            "needs the token \"xy\", expected it among tokenizer.ggml.tokens as ordinary text",
            d -> {
              d.merges.add("x y");
              d.add("xy", TestDefinition.CONTROL);
            }),
        bytePair(
            "tokenizer.ggml.tokens lacks \"Ġ\", which stands for the byte 0x20",
            d -> d.tokens.set(32, "another")),
        bytePair(
            "tokenizer.ggml.add_bos_token is true or absent, but tokenizer.ggml.bos_token_id is",
            d -> d.bos = OptionalLong.empty()),
        bytePair(
            "tokenizer.ggml.eos_token_id is missing, expected its id or",
            d -> {
              d.eos = OptionalLong.empty();
              d.addEos = Optional.of(true);
            }),
        sentencePiece(
            "tokenizer.ggml.scores has 1 entries, expected 260",
            d -> d.scores = d.scores.subList(0, 1)),
        sentencePiece("tokenizer.ggml.scores[4] is NaN, expected", d -> d.scores.set(4, Float.NaN)),
        sentencePiece(
            "tokenizer.ggml.tokens[3] = \"<0xZZ>\" is of type byte",
            d -> d.tokens.set(3, "<0xZZ>")),
        sentencePiece(
            "tokenizer.ggml.tokens has neither <0x00> nor an unknown token",
            d -> {
              d.types = d.types.subList(0, 1);
              d.tokens.subList(1, d.tokens.size()).clear();
              d.scores = d.scores.subList(0, 1);
              d.types.set(0, 1);
              d.addBos = Optional.of(false);
              d.unknown = OptionalLong.empty();
            }));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("defects")
  void everyDefectIsOneLine(String expected, TestDefinition defective) {
    Definition definition = defective.definition();
    String message =
        assertThrows(TokenizerException.class, () -> new Tokenizer(definition)).getMessage();
    assertTrue(message.contains(expected), message);
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void longTextsAreCutInMessages() {
    assertEquals(40 + 5, TokenizerException.quote("😀".repeat(100)).codePointCount(0, 85));
  }

  private static Arguments any(String expected, Consumer<TestDefinition> defect) {
    return bytePair(expected, defect);
  }

  private static Arguments bytePair(String expected, Consumer<TestDefinition> defect) {
    return of(TestDefinition.bytePair("a b"), expected, defect);
  }

  private static Arguments sentencePiece(String expected, Consumer<TestDefinition> defect) {
    return of(TestDefinition.sentencePiece("a"), expected, defect);
  }

  private static Arguments of(
      TestDefinition definition, String expected, Consumer<TestDefinition> defect) {
    defect.accept(definition);
    return Arguments.of(expected, definition);
  }

  private static Optional<String> none() {
    return Optional.empty();
  }

  private static Optional<String> some(String value) {
    return Optional.of(value);
  }
}
