package dev.quern.benchmarks;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/// A text of a given number of tokens, so that engines that take text get the same work.
final class PromptText {
  private static final int MAX_WORDS = 10_000;

  private PromptText() {}

  /// Single letters, which nearly every vocabulary has as tokens, spaces included.
  ///
  /// @param model the GGUF file whose vocabulary counts, with the start token that it adds
  static String ofTokens(Path model, int tokens) throws IOException {
    Tokenizer tokenizer = LlamaModel.loadTokenizer(model);
    StringBuilder text = new StringBuilder("a");
    for (int word = 1; word < MAX_WORDS; word++) {
      int count = tokenizer.encodePrompt(text.toString(), false).length;
      if (count == tokens) {
        return text.toString();
      }
      if (count > tokens) {
        break;
      }
      text.append(' ').append((char) ('a' + word % 26));
    }
    throw new CompareException(
        String.format(
            Locale.ROOT,
            "%s: no text of %d tokens could be made of single letters, expected a Llama vocabulary",
            model,
            tokens));
  }
}
