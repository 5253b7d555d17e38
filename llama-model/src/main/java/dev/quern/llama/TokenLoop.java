package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.observe.FlightRecorder;
import dev.quern.llama.sampling.LogitsException;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;

/// Runs a session's tokens through the model and chooses those that follow. For one thread at a
/// time; [LlamaSession] sees to that.
final class TokenLoop {
  private static final int NONE = -1;

  /// A prompt that was run, or cancelled.
  ///
  /// @param start when it was asked for, by [System#nanoTime()]
  /// @param tokens that were run
  /// @param seconds they took
  /// @param done whether it was not cancelled
  /// @param again whether an earlier completion of the same prompt had it run
  private record Prompt(long start, int tokens, double seconds, boolean done, boolean again) {}

  private final LlamaModel model;
  private final ForwardPass forward;
  private final KvCaches caches;
  private final int batch;
  private final SessionTokens tokens;
  private final Optional<SessionText> sessionText; // where the model has a vocabulary

  /// Row of the last forward pass whose logits follow the last token of the cache; NONE where that
  /// pass did not prepare them, or is no longer the last.
  private int lastRow = NONE;

  /// In place of that row: logits that were put aside. Null where there are none.
  private MemorySegment aside;

  /// @param batch most tokens of a forward pass
  TokenLoop(
      LlamaModel model,
      ForwardPass forward,
      KvCaches caches,
      int batch,
      SessionTokens tokens,
      Optional<SessionText> sessionText) {
    this.model = model;
    this.forward = forward;
    this.caches = caches;
    this.batch = batch;
    this.tokens = tokens;
    this.sessionText = sessionText;
  }

  /// See [LlamaSession#generate(int\[\], GenerationOptions, java.util.function.Consumer)].
  ///
  /// @param onToken hears every token; false ends the generation
  /// @param text gets every token, if there is to be text
  /// @param cancelled whether to end
  Generation generate(
      int[] prompt,
      GenerationOptions options,
      IntPredicate onToken,
      Optional<GeneratedText> text,
      BooleanSupplier cancelled) {
    Sampler sampler = Continuation.checkedSampler(model, options);
    return goOn(run(prompt, cancelled), sampler, options, onToken, text, cancelled);
  }

  /// Generates behind a text that begins it all: what is in the cache stays as far as it is that
  /// text's beginning, and the rest is forgotten. The last token is run in any case.
  ///
  /// @param text gets every token
  /// @param cancelled whether to end
  Generation generateAnew(
      int[] whole, GenerationOptions options, GeneratedText text, BooleanSupplier cancelled) {
    Sampler sampler = Continuation.checkedSampler(model, options);
    if (whole.length == 0) {
      throw nothing();
    }
    int[] all = tokens.all();
    boolean goesOn =
        all.length < whole.length && Arrays.equals(all, 0, all.length, whole, 0, all.length);
    int kept = Math.min(tokens.shared(whole), whole.length - 1);
    requireRoom(model, whole.length - kept, kept);
    if (!goesOn) {
      goBack(kept);
    }
    int[] rest = Arrays.copyOfRange(whole, goesOn ? all.length : kept, whole.length);
    return goOn(run(rest, cancelled), sampler, options, _ -> true, Optional.of(text), cancelled);
  }

  /// See [LlamaSession#completions(int\[\], int, GenerationOptions, IntFunction)].
  ///
  /// @param text for each completion
  /// @param cancelled whether to end
  List<Generation> completions(
      int[] prompt,
      int count,
      GenerationOptions options,
      IntFunction<GeneratedText> text,
      BooleanSupplier cancelled) {
    SamplingOptions sampling = options.sampling();
    Sampler sampler = Continuation.checkedSampler(model, options);
    Prompt first = run(prompt, cancelled);
    if (!first.done()) {
      return List.of(goOn(first, sampler, options, _ -> true, Optional.empty(), cancelled));
    }
    MemorySegment logits = MemorySegment.ofArray(logits().toArray(JAVA_FLOAT));
    int end = tokens.position();
    List<Generation> all = new ArrayList<>();
    while (all.size() < count) {
      int i = all.size();
      Prompt again = i == 0 ? first : new Prompt(System.nanoTime(), 0, 0, true, true);
      sampler =
          i == 0 ? sampler : Continuation.sampler(model, sampling.withSeed(sampling.seed() + i));
      aside = logits;
      try {
        all.add(goOn(again, sampler, options, _ -> true, Optional.of(text.apply(i)), cancelled));
      } finally {
        goBack(end);
      }
      if (all.getLast().stop() == StopReason.CANCELLED) {
        break;
      }
    }
    return all;
  }

  private Prompt run(int[] prompt, BooleanSupplier cancelled) {
    long start = System.nanoTime();
    int[] ids = tokens.withPending(prompt);
    if (ids.length == 0 && tokens.isEmpty()) {
      throw nothing();
    }
    checkRoom(ids.length);
    boolean done = orUndone(() -> prefill(ids, cancelled));
    model.profile().ifPresent(KernelProfile::endPrompt);
    return new Prompt(start, done ? ids.length : 0, seconds(start), done, false);
  }

  /// Generates behind a prompt that was run.
  private Generation goOn(
      Prompt prompt,
      Sampler sampler,
      GenerationOptions options,
      IntPredicate onToken,
      Optional<GeneratedText> text,
      BooleanSupplier cancelled) {
    sampler.accept(tokens.history());
    Continuation continuation =
        new Continuation(
            model,
            options,
            tokens,
            sampler,
            onToken,
            text,
            () -> cancelled.getAsBoolean() ? Optional.of(StopReason.CANCELLED) : Optional.empty());
    StopReason stop = prompt.done() ? null : StopReason.CANCELLED;
    final int promptEnd = tokens.position();
    double firstToken = Double.NaN;
    int decoded = 0;
    long decodeStart = System.nanoTime();
    if (stop == null && continuation.isFull()) {
      stop = StopReason.MAX_TOKENS;
    }
    while (stop == null) {
      FlightRecorder.TokenEvent event = FlightRecorder.token();
      MemorySegment logits = logits();
      int token = choose(continuation, logits);
      if (Double.isNaN(firstToken)) {
        if (!prompt.again()) {
          model.profile().ifPresent(KernelProfile::endPrompt);
        }
        firstToken = seconds(prompt.start());
        decodeStart = System.nanoTime();
      }
      stop = continuation.accept(token, logits).orElse(null);
      if (stop == null) {
        step(new int[] {token}, 0, 1, 1);
        tokens.setPending();
        decoded++;
      }
      if (event != null) {
        event.finish(token, tokens.position());
      }
    }
    final double decodeSeconds = seconds(decodeStart);
    if (stop == StopReason.STOP_STRING) {
      forgetAllBut(text.get().kept(), promptEnd);
    } else if (prompt.done()) {
      continuation.end(stop);
    }
    return new Generation(
        continuation.generated(),
        stop,
        prompt.tokens(),
        prompt.seconds(),
        firstToken,
        decoded,
        decodeSeconds,
        continuation.logProbabilities());
  }

  /// See [LlamaSession#evaluate(int\[\], int, Consumer)].
  void evaluate(int[] prompt, int wanted, Consumer<float[]> logits) {
    int[] ids = tokens.withPending(prompt);
    checkRoom(ids.length);
    int first = ids.length - wanted; // of which the logits are wanted
    orUndone(() -> {
      for (int done = 0; done < ids.length; ) {
        int rows = Math.min(batch, ids.length - done);
        int unwanted = Math.clamp(first - done, 0, rows);
        step(ids, done, rows, rows - unwanted);
        for (int r = unwanted; r < rows; r++) {
          float[] row = forward.logits(r).data().toArray(JAVA_FLOAT);
          check(row, tokens.position() - rows + r + 1);
          logits.accept(row);
        }
        done += rows;
      }
      return true;
    });
  }

  /// See [Measurements#fillWithNoise].
  void fillWithNoise(int positions, RandomGenerator random) {
    checkRoom(positions);
    tokens.setPending();
    lastRow = NONE;
    int[] zeros = new int[batch];
    for (int done = 0; done < positions; ) {
      int rows = Math.min(batch, positions - done);
      forward.appendNoise(caches, tokens.position(), rows, random);
      tokens.append(zeros, 0, rows);
      done += rows;
    }
  }

  /// Runs a prompt in batches, so that the logits behind it are ready.
  ///
  /// @return whether it was not cancelled
  private boolean prefill(int[] prompt, BooleanSupplier cancelled) {
    int[] ids = prompt;
    if (ids.length == 0 && lastRow == NONE) { // the last token's logits once more
      ids = new int[] {tokens.last().getAsInt()};
      tokens.setPosition(tokens.position() - 1);
    }
    for (int done = 0; done < ids.length; done += batch) {
      if (cancelled.getAsBoolean()) {
        return false;
      }
      int rows = Math.min(batch, ids.length - done);
      step(ids, done, rows, done + rows == ids.length ? 1 : 0);
    }
    return !cancelled.getAsBoolean();
  }

  /// Takes pending tokens and a prompt in, or leaves everything as it was.
  ///
  /// @param work whether it was done
  private boolean orUndone(BooleanSupplier work) {
    int before = tokens.position();
    boolean done = false;
    try {
      done = work.getAsBoolean();
    } finally {
      if (done) {
        tokens.setPending();
      } else if (tokens.position() != before) {
        tokens.setPosition(before);
        lastRow = NONE;
      }
    }
    return done;
  }

  /// After a stop string: goes on from the text that was handed on, whatever its tokens were.
  private void forgetAllBut(GeneratedText.Kept kept, int promptEnd) {
    goBack(promptEnd + kept.tokens());
    if (!kept.text().isEmpty()) {
      int last = tokens.last().getAsInt();
      tokens.setPending(model.tokenizer().encodeBehind(last, kept.text(), false));
    }
  }

  /// Forgets what is behind a position.
  void goBack(int position) {
    tokens.setPosition(position);
    tokens.setPending();
    lastRow = NONE;
    aside = null;
    sessionText.ifPresent(SessionText::reset);
  }

  /// @param wanted of how many of the last rows logits may be asked for
  private void step(int[] ids, int from, int rows, int wanted) {
    FlightRecorder.ForwardPassEvent event = FlightRecorder.forwardPass();
    lastRow = NONE;
    aside = null;
    forward.run(List.of(new ForwardPass.Part(caches, tokens.position(), ids, from, rows, wanted)));
    if (event != null) {
      event.finish(tokens.position(), rows);
    }
    tokens.append(ids, from, rows);
    lastRow = wanted > 0 ? rows - 1 : NONE;
  }

  /// What follows the last token of the cache.
  private MemorySegment logits() {
    return aside == null ? forward.logits(lastRow).data() : aside;
  }

  private int choose(Continuation continuation, MemorySegment logits) {
    try {
      return continuation.choose(logits);
    } catch (LogitsException e) {
      throw explained(e);
    }
  }

  private void check(float[] logits, int position) {
    try {
      LogitsException.check(logits, position);
    } catch (LogitsException e) {
      throw explained(e);
    }
  }

  private LlamaException explained(LogitsException e) {
    return model.nonFinite().explain(e, caches, tokens.position());
  }

  private void checkRoom(int count) {
    requireRoom(model, count, tokens.position());
  }

  /// That there is nothing to go on from.
  static PromptException nothing() {
    return new PromptException("prompt: no tokens, expected at least one to go on from");
  }

  /// @param position tokens that are in the cache
  /// @throws PromptException if so many more don't fit in the context
  static void requireRoom(LlamaModel model, int count, int position) {
    if (count > model.context() - position) {
      throw new PromptException(
          String.format(
              Locale.ROOT,
              "prompt: %d tokens after %d, expected at most %d together: the context; load the model with a larger one (it was trained for %d), or shorten the prompt",
              count,
              position,
              model.context(),
              model.config().contextLength()));
    }
  }

  private static double seconds(long startNanos) {
    return (System.nanoTime() - startNanos) / 1e9;
  }
}
