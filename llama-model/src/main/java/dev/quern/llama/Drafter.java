package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.sampling.LogitsException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;

/// A small model that guesses what an engine's sequences are going to say (Leviathan et al., "Fast
/// Inference from Transformers via Speculative Decoding", 2023). It follows each in caches of its
/// own, and guesses a token of all of them at a time. Of the engine's thread alone.
final class Drafter implements AutoCloseable {
  private final LlamaModel model;
  private final int most; // tokens of a guess
  private final int rows; // of a forward pass
  private final Arena arena = Arena.ofShared();
  private final ForwardPass forward;
  private final PrefixCache prefixes;
  private final Map<Sequence, Follower> followers = new IdentityHashMap<>();
  private final float[] logits; // [vocabulary of the large model]

  /// A sequence as this model has it.
  private static final class Follower implements PrefixCache.Holder {
    final Sequence sequence;
    final KvCaches caches;
    final List<Integer> guess = new ArrayList<>();
    int position; // tokens in the caches

    Follower(Sequence sequence, PrefixCache.Found found) {
      this.sequence = sequence;
      caches = found.caches();
      position = found.tokens();
    }

    /// Tokens of the sequence that are not in the caches.
    int lag() {
      return sequence.position() - position;
    }

    @Override
    public int shared(int[] prompt) {
      return Math.min(position, sequence.shared(prompt));
    }

    @Override
    public KvCaches caches() {
      return caches;
    }
  }

  /// @param vocabulary tokens of the large model
  Drafter(LlamaModel model, EngineOptions options, LoadOptions load, int vocabulary) {
    this.model = model;
    most = options.draftTokens();
    rows = options.sequences() * (1 + most) + Math.min(load.batch(), model.context());
    prefixes = new PrefixCache(options.prefixes(), model::newCaches);
    logits = new float[vocabulary];
    try {
      ForwardPass.Limits limits =
          new ForwardPass.Limits(model.context(), rows, options.sequences());
      forward = model.newForwardPass(model.operatorsFor(options.sequences()), limits, arena);
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      arena.close();
      throw t;
    }
  }

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

  /// Begins to follow.
  void start(Sequence s) {
    followers.put(s, new Follower(s, prefixes.find(s.prompt(), followers.values())));
  }

  /// Follows no longer one that has ended.
  void end(Sequence s) {
    Follower f = followers.remove(s);
    if (f != null) {
      int[] history = s.history();
      prefixes.keep(Arrays.copyOf(history, Math.min(f.position, history.length)), f.caches);
    }
  }

  /// Follows no longer one that has failed.
  void release(Sequence s) {
    Follower f = followers.remove(s);
    if (f != null) {
      prefixes.release(f.caches);
    }
  }

  /// Guesses for sequences that have a next token and nothing guessed behind it. One that it has
  /// not caught up with gets no guess.
  ///
  /// @param failed hears of whom this model's logits were no numbers for
  void guess(Collection<Sequence> sequences, BiConsumer<Sequence, Throwable> failed) {
    List<Follower> guessing = new ArrayList<>();
    int left = rows;
    for (Sequence s : sequences) {
      Follower f = followers.get(s);
      f.guess.clear();
      if (s.room() > 0 && f.lag() < left) {
        guessing.add(f);
        left -= f.lag() + 1;
      }
    }
    List<Follower> all = List.copyOf(guessing);
    try {
      while (!guessing.isEmpty()) {
        guessing = guessed(guessing, run(guessing), failed);
      }
    } finally {
      all.forEach(f -> f.sequence.withdraw());
    }
    for (Follower f : all) {
      f.sequence.guess(f.guess.stream().mapToInt(t -> t).toArray());
    }
  }

  /// What is to be run for the next guess: tokens that the sequence has meanwhile got and its next
  /// one, or the guess before.
  private static ForwardPass.Part missing(Follower f) {
    int[] tokens =
        f.guess.isEmpty() ? f.sequence.upToNext(f.position) : new int[] {f.guess.getLast()};
    ForwardPass.Part part = new ForwardPass.Part(f.caches, f.position, tokens, 0, tokens.length, 1);
    f.position += tokens.length;
    return part;
  }

  /// Runs what is missing of each.
  ///
  /// @return the logits behind, a row for each
  private F32Matrix run(List<Follower> batch) {
    List<ForwardPass.Part> parts = batch.stream().map(Drafter::missing).toList();
    int[] last = new int[parts.size()];
    int row = 0;
    for (int i = 0; i < last.length; i++) {
      row += parts.get(i).rows();
      last[i] = row - 1;
    }
    forward.run(parts);
    return forward.logits(last);
  }

  /// Takes a guess for each of a batch.
  ///
  /// @return those that get another one
  private List<Follower> guessed(
      List<Follower> batch, F32Matrix all, BiConsumer<Sequence, Throwable> failed) {
    List<Follower> left = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      Follower f = batch.get(i);
      copy(all, i);
      try {
        f.guess.add(f.sequence.guessNext(logits));
      } catch (LogitsException e) {
        failed.accept(f.sequence, model.nonFinite().explain(e, f.caches, f.position));
        continue;
      }
      if (f.guess.size() < Math.min(most, f.sequence.room())) {
        left.add(f);
      }
    }
    return left;
  }

  /// The logits of a row. What only one of the vocabularies has, such as rows that fill it up, is
  /// never guessed.
  private void copy(F32Matrix all, int row) {
    int common = Math.min(logits.length, all.columns());
    MemorySegment.copy(all.data(), JAVA_FLOAT, all.offsetBytes(row, 0), logits, 0, common);
    Arrays.fill(logits, common, logits.length, Float.NEGATIVE_INFINITY);
  }

  /// Forgets guesses that were wrong, and runs what sequences have got meanwhile.
  ///
  /// @param most tokens that are run
  void follow(int most) {
    int left = Math.min(most, rows);
    List<ForwardPass.Part> parts = new ArrayList<>();
    for (Follower f : followers.values()) {
      f.position =
          Math.min(f.position, Math.max(f.sequence.position(), f.sequence.prompt().length));
      int n = Math.min(f.lag(), left);
      // One or two tokens behind its guesses is where it stays: they are run with the next one.
      if (n > (f.sequence.isDecoding() ? 1 : 0)) {
        parts.add(
            new ForwardPass.Part(f.caches, f.position, f.sequence.upToNext(f.position), 0, n, 0));
        f.position += n;
        left -= n;
      }
    }
    if (!parts.isEmpty()) {
      forward.run(parts);
    }
  }

  /// Bytes of its caches.
  long kvBytes() {
    return prefixes.bytes();
  }

  @Override
  public void close() {
    prefixes.close();
    arena.close();
  }
}
