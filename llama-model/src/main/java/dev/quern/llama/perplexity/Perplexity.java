package dev.quern.llama.perplexity;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntConsumer;

/// A model's perplexity on a text, by the protocol of `llama-perplexity`, so that the numbers can
/// be compared: the text is cut into chunks of `context` tokens, what is left over is dropped. Each
/// chunk starts from an empty cache; where the vocabulary adds a start token, it takes the place of
/// the chunk's first. The second half is scored: the tokens `context/2 + 1 ..` of the chunk, each
/// given all before it.
///
/// A kernel may compute one row in another way than many, for example with activations rounded to
/// int8, so what is measured is a [Phase]. `llama-perplexity`'s is [Phase#PREFILL].
///
/// @param phase how the scored tokens ran
/// @param rows of a scored token's batch, at least (fewer where the model's own limit is less)
/// @param chunks how many
/// @param context tokens of a chunk
/// @param scored tokens that count
/// @param logLikelihood mean negative log-likelihood of the scored tokens, in nats
/// @param divergences from each reference's predictions
/// @since 0.1
/// @stability api
public record Perplexity(
    Phase phase,
    int rows,
    int chunks,
    int context,
    int scored,
    Mean logLikelihood,
    List<Divergence> divergences) {
  /// Tokens whose logits of a reference are in memory at once.
  private static final int STEP = 64;

  /// How tokens go through a model.
  public enum Phase {
    /// In batches, as a prompt does.
    PREFILL,

    /// As a reply does: what comes before the scored tokens in batches, then one by one.
    DECODE
  }

  public Perplexity {
    divergences = List.copyOf(divergences);
  }

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
  /// @param phase how the model runs; references always run in batches
  /// @param references whose predictions are yardsticks, of the same vocabulary; may hold the model
  ///   itself, to see what one phase makes of it that the other does not
  /// @param tokens the text's
  /// @param context tokens of a chunk
  /// @param limit most chunks; 0: all
  /// @param progress hears, on the calling thread, how many chunks are done
  /// @throws LlamaException where the text has not two chunks, or the vocabularies differ
  public static Perplexity measure(
      LlamaModel model,
      Phase phase,
      List<LlamaModel> references,
      int[] tokens,
      int context,
      int limit,
      IntConsumer progress) {
    int all = checkedChunks(model, references, tokens, context);
    int chunks = limit == 0 ? all : Math.min(limit, all);
    int first = context / 2;
    int scored = context - first - 1; // the last token is not run: nothing after it is predicted
    // Steps of one size but for a token, since a small one at the end may run on other kernels.
    int steps = Math.ceilDiv(scored, STEP);
    Mean.Sum likelihood = new Mean.Sum();
    List<Divergence.Collector> collectors =
        references.stream().map(_ -> new Divergence.Collector(chunks * scored)).toList();
    try (LlamaSession session = model.newSession();
        Sessions others = Sessions.of(references)) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        int[] ids = Arrays.copyOfRange(tokens, chunk * context, (chunk + 1) * context);
        if (addsBos(model)) {
          ids[0] = model.tokenizer().bos().getAsInt();
        }
        int[] before = Arrays.copyOf(ids, first);
        begin(session, before);
        others.list.forEach(other -> begin(other, before));
        for (int step = 0; step < steps; step++) {
          int from = first + scored * step / steps;
          int[] ran = Arrays.copyOfRange(ids, from, first + scored * (step + 1) / steps);
          List<List<Distribution>> expected =
              others.list.stream().map(other -> distributions(other, ran, ran.length)).toList();
          List<Distribution> actual =
              distributions(session, ran, phase == Phase.DECODE ? 1 : ran.length);
          for (int i = 0; i < ran.length; i++) {
            int next = ids[from + i + 1];
            likelihood.add(-actual.get(i).log(next));
            for (int r = 0; r < collectors.size(); r++) {
              collectors.get(r).add(expected.get(r).get(i), actual.get(i), next);
            }
          }
        }
        progress.accept(chunk + 1);
      }
    }
    return new Perplexity(
        phase,
        phase == Phase.DECODE ? 1 : scored / steps,
        chunks,
        context,
        chunks * scored,
        likelihood.mean(),
        collectors.stream().map(Divergence.Collector::result).toList());
  }

  /// A session of each reference.
  private record Sessions(List<LlamaSession> list) implements AutoCloseable {
    static Sessions of(List<LlamaModel> models) {
      Sessions sessions = new Sessions(new ArrayList<>());
      try {
        models.forEach(model -> sessions.list.add(model.newSession()));
        return sessions;
      } catch (Throwable t) { // rethrown: only what was opened here is released
        sessions.close();
        throw t;
      }
    }

    @Override
    public void close() {
      list.forEach(LlamaSession::close);
    }
  }

  private static void begin(LlamaSession session, int[] tokens) {
    session.rewind(0);
    session.evaluate(tokens, 0, logits -> {});
  }

  /// @param rows tokens that run at once
  private static List<Distribution> distributions(LlamaSession session, int[] tokens, int rows) {
    List<Distribution> list = new ArrayList<>(tokens.length);
    for (int from = 0; from < tokens.length; from += rows) {
      int[] batch = Arrays.copyOfRange(tokens, from, Math.min(from + rows, tokens.length));
      session.evaluate(batch, logits -> list.add(Distribution.of(logits)));
    }
    return list;
  }

  private static boolean addsBos(LlamaModel model) {
    return model.hasTokenizer() && model.tokenizer().addsBos();
  }

  private static int checkedChunks(
      LlamaModel model, List<LlamaModel> references, int[] tokens, int context) {
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
    for (LlamaModel reference : references) {
      if (reference.config().vocabulary() != model.config().vocabulary()) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "vocabularies of %d and %d tokens, expected the same: distributions over different tokens can't be compared",
                model.config().vocabulary(),
                reference.config().vocabulary()));
      }
    }
    return tokens.length / context;
  }
}
