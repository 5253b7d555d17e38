package dev.quern.llama.perplexity;

import dev.quern.llama.LlamaException;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntConsumer;

/// A model's perplexity on a text, by the protocol of `llama-perplexity`, so that the numbers can
/// be compared: the text is cut into chunks of `context` tokens, what is left over is dropped. Each
/// chunk starts from an empty cache; where the vocabulary adds a start token, it takes the place of
/// the chunk's first. The second half is scored: the tokens `context/2 + 1 ..` of the chunk, each
/// given all before it.
///
/// @param chunks how many
/// @param context tokens of a chunk
/// @param scored tokens that count
/// @param logLikelihood mean negative log-likelihood of the scored tokens, in nats
/// @param divergence from the reference's predictions, where there was one
public record Perplexity(
    int chunks, int context, int scored, Mean logLikelihood, Optional<Divergence> divergence) {
  /// Tokens whose logits of the reference are in memory at once.
  private static final int STEP = 64;

  /// e to the mean negative log-likelihood.
  public double value() {
    return Math.exp(logLikelihood.value());
  }

  /// One standard error, to first order.
  public double uncertainty() {
    return value() * logLikelihood.uncertainty();
  }

  /// The text's tokens as the protocol has them: with the start token, if the vocabulary adds one.
  /// Special tokens in the text count as text. A line feed at the text's end is dropped, as
  /// `llama-perplexity` does with a file.
  public static int[] tokens(LlamaModel model, String text) {
    Tokenizer tokenizer = model.tokenizer();
    String trimmed = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    return tokenizer.encodePrompt(trimmed, false);
  }

  /// Measures.
  ///
  /// @param model loaded with at least `context` positions
  /// @param reference whose predictions are the yardstick, of the same vocabulary; or empty
  /// @param tokens the text's
  /// @param context tokens of a chunk
  /// @param limit most chunks; 0: all
  /// @param progress hears, on the calling thread, how many chunks are done
  /// @throws LlamaException where the text has not two chunks, or the vocabularies differ
  public static Perplexity measure(
      LlamaModel model,
      Optional<LlamaModel> reference,
      int[] tokens,
      int context,
      int limit,
      IntConsumer progress) {
    int all = checkedChunks(model, reference, tokens, context);
    int chunks = limit == 0 ? all : Math.min(limit, all);
    int first = context / 2;
    int scored = context - first - 1;
    Mean.Sum likelihood = new Mean.Sum();
    Divergence.Collector collector = new Divergence.Collector(chunks * scored);
    try (LlamaSession session = model.newSession();
        LlamaSession other = reference.map(LlamaModel::newSession).orElse(null)) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        int[] ids = Arrays.copyOfRange(tokens, chunk * context, (chunk + 1) * context);
        if (addsBos(model)) {
          ids[0] = model.tokenizer().bos().getAsInt();
        }
        session.rewind(0);
        session.evaluate(Arrays.copyOf(ids, first), 0, logits -> {});
        if (other != null) {
          other.rewind(0);
          other.evaluate(Arrays.copyOf(ids, first), 0, logits -> {});
        }
        // The last token is not run: nothing after it is to be predicted.
        for (int from = first; from < context - 1; from += STEP) {
          int[] step = Arrays.copyOfRange(ids, from, Math.min(from + STEP, context - 1));
          List<Distribution> expected = other == null ? List.of() : distributions(other, step);
          List<Distribution> actual = distributions(session, step);
          for (int i = 0; i < step.length; i++) {
            int next = ids[from + i + 1];
            likelihood.add(-actual.get(i).log(next));
            if (other != null) {
              collector.add(expected.get(i), actual.get(i), next);
            }
          }
        }
        progress.accept(chunk + 1);
      }
    }
    return new Perplexity(
        chunks,
        context,
        chunks * scored,
        likelihood.mean(),
        reference.map(r -> collector.result()));
  }

  private static List<Distribution> distributions(LlamaSession session, int[] tokens) {
    List<Distribution> list = new ArrayList<>(tokens.length);
    session.evaluate(tokens, logits -> list.add(Distribution.of(logits)));
    return list;
  }

  private static boolean addsBos(LlamaModel model) {
    return model.hasTokenizer() && model.tokenizer().addsBos();
  }

  private static int checkedChunks(
      LlamaModel model, Optional<LlamaModel> reference, int[] tokens, int context) {
    if (context < 4 || context > model.context()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "context=%d, expected 4 to %d, which the model is loaded with",
              context,
              model.context()));
    }
    if (tokens.length < 2 * context) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "text: %d tokens, expected at least %d, two chunks of the context: take a longer text, or a smaller context",
              tokens.length,
              2 * context));
    }
    if (reference.isPresent()
        && reference.get().config().vocabulary() != model.config().vocabulary()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "vocabularies of %d and %d tokens, expected the same: distributions over different tokens can't be compared",
              model.config().vocabulary(),
              reference.get().config().vocabulary()));
    }
    return tokens.length / context;
  }
}
