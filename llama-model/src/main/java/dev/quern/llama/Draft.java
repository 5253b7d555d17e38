package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Locale;

/// What a draft model must be.
final class Draft {
  private Draft() {}

  /// @throws LlamaException if a model can't guess for another
  static void require(LlamaModel model, LlamaModel draft) {
    if (draft.context() < model.context()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "draft model: context=%d, expected at least %d, that of the model that it guesses for",
              draft.context(),
              model.context()));
    }
    if (!model.hasTokenizer() || !draft.hasTokenizer()) {
      int expected = model.config().vocabulary();
      if (model.hasTokenizer() || draft.hasTokenizer() || draft.config().vocabulary() != expected) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "draft model: %s, expected the vocabulary of the model that it guesses for (%s)",
                described(draft),
                described(model)));
      }
      return;
    }
    requireSame(model.tokenizer(), draft.tokenizer());
  }

  private static String described(LlamaModel model) {
    return String.format(
        Locale.ROOT,
        "%d tokens %s",
        model.config().vocabulary(),
        model.hasTokenizer() ? "with their texts" : "without texts");
  }

  /// One may have more tokens, as models of a family fill theirs up to different sizes.
  private static void requireSame(Tokenizer model, Tokenizer draft) {
    int common = Math.min(model.vocabularySize(), draft.vocabularySize());
    for (int id = 0; id < common; id++) {
      if (!Arrays.equals(model.bytes(id), draft.bytes(id))
          || model.isControl(id) != draft.isControl(id)) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "draft model: token %d is %s, expected %s, as in the model that it guesses for: it needs the same vocabulary",
                id,
                Printable.quoted(draft.text(id)),
                Printable.quoted(model.text(id))));
      }
    }
  }
}
