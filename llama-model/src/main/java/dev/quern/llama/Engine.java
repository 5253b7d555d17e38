package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.QueueFullException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// Runs many requests on one model at once (continuous batching: Yu et al., "Orca", 2022). Decoding
/// reads all weights for each token of one sequence, and no more for a token of each of eight. So
/// each step of the engine runs the next token of every sequence, and beside them a part of a
/// prompt that waits; requests come in, and leave, between two steps.
///
/// ```java
/// try (LlamaModel model = LlamaModel.load(Path.of("model.gguf"));
///     Engine engine = model.newEngine(EngineOptions.defaults())) {
///   int[] prompt = model.tokenizer().encodeBeginning("Once upon a time", false);
///   Completion story =
///       engine.submit(EngineRequest.of(prompt, GenerationOptions.greedy(100)), System.out::print);
///   story.await();
/// }
/// ```
///
/// A prompt that begins as that of a request that runs, or ran, does costs only what is new: system
/// prompts, a conversation's next turn, another try.
///
/// With [EngineOptions#lookup()] a sequence guesses what comes next where it repeats itself or its
/// prompt (Saxena, "Prompt lookup decoding", 2023): the step that runs its next token runs the
/// guesses behind it as well, and those stay that would have been chosen anyway. Each token is
/// chosen from the model's logits in its turn, with the random number that it would be drawn with
/// anyway, so the text is what it is without. A draft model (Leviathan et al., "Fast Inference from
/// Transformers via Speculative Decoding", 2023; see [LlamaModel#newEngine(EngineOptions,
/// LlamaModel)]) guesses with the same random numbers, everywhere. Guesses that do not pay stop for
/// a while ([EngineMetrics#unguessedTokens()]).
///
/// A request gets what it would get alone, to the bit under `quern.numerics=invariant`; under
/// others kernels for several rows may round differently. Requests begin in the order in which they
/// came. Any thread may call an engine. It has a thread of its own, and uses the model's threads.
///
/// @since 0.1
/// @stability api
public final class Engine implements Openings.Opening {
  private final LlamaModel model;
  private final EngineOptions options;
  private final Scheduler scheduler;

  private final Optional<LlamaModel> draft;

  Engine(LlamaModel model, EngineOptions options, LoadOptions load, Optional<LlamaModel> draft) {
    this.model = model;
    this.options = options;
    this.draft = draft;
    scheduler = new Scheduler(model, options, load, draft);
  }

  /// Takes a request, and returns at once.
  ///
  /// @param text hears the continuation, as [LlamaSession#generate(int\[\], GenerationOptions,
  ///   Consumer)] tells it, on a thread of the request's own; nothing where the model has no
  ///   vocabulary
  /// @throws QueueFullException if as many requests wait as may
  /// @throws LlamaException if the prompt does not fit, is empty, or holds an id that the model
  ///   lacks
  /// @throws IllegalStateException if the engine or the model is closed
  public Completion submit(EngineRequest request, Consumer<String> text) {
    return submitPieces(request, Piece.texts(text));
  }

  /// As [#submit], for whoever wants to hear the tokens with the text, and their log probabilities.
  ///
  /// @param listener hears the continuation as `text` of [#submit] does
  public Completion submitPieces(EngineRequest request, PieceListener listener) {
    model.requireOpen();
    if (!request.options().stopStrings().isEmpty()) {
      model.tokenizer(); // a file without a vocabulary is refused before anything is run
    }
    Completion completion = new Completion(listener);
    try {
      Sequence sequence = new Sequence(model, request, options.lookup(), completion);
      if (!scheduler.offer(sequence)) {
        throw new QueueFullException(
            String.format(
                Locale.ROOT,
                "engine: %d requests wait already, and %d run; expected fewer than queue=%d, try again later",
                options.queue(),
                options.sequences(),
                options.queue()));
      }
    } catch (RuntimeException e) { // rethrown: only the listener's thread is ended here
      completion.fail(e);
      throw e;
    }
    return completion;
  }

  /// What it has done, and does.
  public EngineMetrics metrics() {
    return scheduler.metrics();
  }

  /// Ends all requests with [StopReason#CANCELLED], and frees their memory.
  @Override
  public void close() {
    scheduler.close();
    model.forget(this);
    draft.ifPresent(d -> d.forget(this));
  }
}
