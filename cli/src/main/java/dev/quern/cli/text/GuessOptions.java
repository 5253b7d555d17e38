package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.StopReason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import picocli.CommandLine.Option;

/// The options of guesses about what comes next, which a step verifies several of at once.
public final class GuessOptions {
  @Option(
      names = "--draft",
      paramLabel = "PATH",
      description =
          "A small model of the same vocabulary that guesses what this one is going to say. The text stays what it is.")
  Path draft;

  @Option(
      names = "--draft-tokens",
      paramLabel = "N",
      description = "Most tokens that it guesses at once, 1 to 16. Default: 4.")
  Integer draftTokens;

  @Option(
      names = "--lookup",
      paramLabel = "N",
      description =
          "Guess up to N tokens, at most 16, where the text repeats itself or its prompt. Default: ${DEFAULT-VALUE}, none.")
  int lookup;

  GuessOptions() {}

  /// The draft model, if there is to be one.
  public Optional<Path> draft() {
    return Optional.ofNullable(draft);
  }

  /// An engine's options with these. They are checked here, before a model is loaded.
  public EngineOptions with(EngineOptions options) {
    EngineOptions changed = options.withLookup(lookup);
    return draftTokens == null ? changed : changed.withDraftTokens(draftTokens);
  }

  /// What is wrong with them, if anything.
  public Optional<String> contradiction() {
    return draftTokens != null && draft == null
        ? Optional.of("--draft-tokens: expected --draft too, the model that guesses them")
        : Optional.empty();
  }

  /// Whether there are to be guesses.
  boolean any() {
    return draft != null || lookup != 0;
  }

  /// Opens what makes the guesses.
  ///
  /// @param loading options of the draft model, but for its context
  Guessing open(Console console, LlamaModel model, LoadOptions loading) throws IOException {
    EngineOptions options = with(EngineOptions.defaults().withSequences(1).withPrefixes(1));
    if (draft == null) {
      return new Guessing(model.newEngine(options), Optional.empty());
    }
    LoadOptions same = loading.withContext(model.context());
    LlamaModel small = ModelOptions.load(console, Optional.of(draft), same);
    try {
      return new Guessing(model.newEngine(options, small), Optional.of(small));
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      small.close();
      throw t;
    }
  }

  /// An engine, and the draft model that it has, if any.
  record Guessing(Engine engine, Optional<LlamaModel> draft) implements AutoCloseable {
    /// Continues a text as often as is asked, one after the other.
    ///
    /// @param text given a completion's number: who hears it
    /// @return the continuations, and what became of the guesses
    Guessed complete(EngineRequest request, int count, IntFunction<Consumer<String>> text) {
      List<Generation> all = new ArrayList<>();
      GenerationOptions options = request.options();
      try {
        for (int i = 0; i < count; i++) {
          long seed = options.sampling().seed() + i;
          GenerationOptions seeded = options.withSampling(options.sampling().withSeed(seed));
          Completion completion =
              engine.submit(EngineRequest.of(request.prompt(), seeded), text.apply(i));
          all.add(completion.await());
          if (all.getLast().stop() == StopReason.CANCELLED) {
            break;
          }
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while a text was continued", e);
      }
      return new Guessed(all, engine.metrics());
    }

    @Override
    public void close() {
      engine.close();
      draft.ifPresent(LlamaModel::close);
    }
  }

  /// @param metrics of an engine that did nothing else
  record Guessed(List<Generation> generations, EngineMetrics metrics) {
    /// A line for people.
    String line() {
      return String.format(
          Locale.ROOT,
          "guesses: %d of %d right; %d tokens without one, since they had not paid",
          metrics.acceptedTokens(),
          metrics.guessedTokens(),
          metrics.unguessedTokens());
    }

    /// For JSON.
    Map<String, Object> figures() {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("guessed", metrics.guessedTokens());
      figures.put("accepted", metrics.acceptedTokens());
      figures.put("unguessed", metrics.unguessedTokens());
      return figures;
    }
  }
}
