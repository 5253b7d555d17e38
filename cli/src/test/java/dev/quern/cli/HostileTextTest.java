package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Nothing of a model's file reaches a terminal raw, nor breaks the line that it is shown in.
class HostileTextTest {
  /// Terminal sequences of both kinds, line breaks of three kinds, text that runs backwards.
  private static final String HOSTILE =
      "x\u001b]0;owned\u0007\u009b31m\nquern: forged\r\u2028\u202etxt.exe\u2066\u0000\u007f";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "general.name",
        "tokenizer.ggml.model",
        "tokenizer.ggml.pre",
        "tokenizer.chat_template",
        "llama.rope.scaling.type",
        "quern.note",
      })
  void metadataIsShownInOneLine(String key) throws IOException {
    Path model =
        ChangedModel.ofDemo(folder.resolve("hostile.gguf"), Map.of(key, HOSTILE + "'\"\\"));
    everyCommandIsClean(model);
  }

  @Test
  void keysAreShownInOneLine() throws IOException {
    everyCommandIsClean(
        ChangedModel.ofDemo(folder.resolve("hostile.gguf"), Map.of("a." + HOSTILE, "x")));
  }

  @Test
  void tokensAreShownInOneLine() throws IOException {
    Path model =
        ChangedModel.ofDemo(
            folder.resolve("hostile.gguf"),
            Map.of(),
            text -> text.equals("<|eot_id|>") ? HOSTILE : text);
    everyCommandIsClean(model);
    Quern tokens = Quern.run("tokenize", "--special", "-m", model.toString(), "--", HOSTILE);
    assertEquals(0, tokens.code(), tokens.err());
    assertClean(tokens);
    assertEquals(2, tokens.out().lines().count(), tokens.out());
  }

  @Test
  void twoTokensOfOneNameAreNamedInOneLine() throws IOException {
    Path model =
        ChangedModel.ofDemo(folder.resolve("twice.gguf"), Map.of(), UnaryOperator.identity());
    assertEquals(0, Quern.run("tokenize", "-m", model.toString(), "x").code());
    Path hostile =
        ChangedModel.ofDemo(
            folder.resolve("hostile.gguf"),
            Map.of(),
            text -> text.startsWith("<|reserved") ? HOSTILE : text);
    everyCommandIsClean(hostile);
  }

  private static void everyCommandIsClean(Path model) {
    String file = model.toString();
    for (List<String> command :
        List.of(
            List.of("inspect", file),
            List.of("inspect", file, "--against", file),
            List.of("explain", "--model", file),
            List.of("tokenize", "--model", file, "Once"),
            List.of("run", "--model", file, "--prompt", "Once", "-n", "2"),
            List.of(
                "bench",
                "--model",
                file,
                "--prompt-tokens",
                "4",
                "-n",
                "2",
                "-r",
                "1",
                "--warmup",
                "0"))) {
      Quern result = Quern.run(command.toArray(String[]::new));
      assertClean(result);
      assertTrue(result.code() == 0 || result.code() == 1, result.err());
      if (result.code() == 1) {
        assertEquals(1, result.err().lines().count(), result.err());
      }
    }
  }

  private static void assertClean(Quern result) {
    String all = result.out() + result.err();
    all.codePoints()
        .forEach(c ->
            assertFalse(
                c != '\n'
                    && (Character.isISOControl(c) || c == 0x2028 || c == 0x202e || c == 0x2066),
                () -> Integer.toHexString(c) + " in " + all));
    assertFalse(all.lines().anyMatch(l -> l.startsWith("quern: forged")), all);
  }
}
