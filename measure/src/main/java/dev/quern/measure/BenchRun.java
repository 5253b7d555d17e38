package dev.quern.measure;

import dev.quern.Operator;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.Measurements;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Measures a loaded model. Prompts are random token ids, as llama-bench's: what a token says
/// changes nothing about its cost.
public final class BenchRun {
  /// One repetition.
  ///
  /// @param prefillSeconds the prompt's forward pass, the logits after its last token, and their
  ///   sampling; NaN if left out
  /// @param decodeSeconds all decoded tokens: forward pass, logits and sampling of each; NaN if
  ///   left out
  /// @param tokenSeconds of decoding, each token's: the first after a prompt has the prompt's
  /// @param profile where the time went; empty without a profile
  public record Repetition(
      double prefillSeconds,
      double decodeSeconds,
      List<Double> tokenSeconds,
      Optional<Profile> profile) {
    public Repetition {
      tokenSeconds = List.copyOf(tokenSeconds);
    }
  }

  /// Notes when each token comes.
  private static final class TokenClock {
    private final List<Double> seconds = new ArrayList<>();
    private long last = System.nanoTime();

    boolean tick() {
      long now = System.nanoTime();
      seconds.add((now - last) / 1e9);
      last = now;
      return true;
    }
  }

  /// Where decoding's time went, and how often kernels ran.
  ///
  /// @param kernelSeconds of decoding, inside each operator's kernels
  /// @param parallelSeconds of that, in runs on several threads
  /// @param taskSeconds inside their tasks, summed over the threads
  /// @param calls of each operator's kernels, in the prompt and in decoding
  public record Profile(
      Map<Operator<?, ?>, Double> kernelSeconds,
      double parallelSeconds,
      double taskSeconds,
      Map<Operator<?, ?>, Long> calls) {
    static Profile of(KernelProfile profile, Map<Operator<?, ?>, Long> promptCalls) {
      Map<Operator<?, ?>, Double> kernels = new TreeMap<>();
      Map<Operator<?, ?>, Long> calls = new TreeMap<>(promptCalls);
      for (Operator<?, ?> operator : Operator.values()) {
        kernels.put(operator, profile.nanos(operator) / 1e9);
        calls.merge(operator, profile.calls(operator), Long::sum);
      }
      return new Profile(kernels, profile.parallelNanos() / 1e9, profile.taskNanos() / 1e9, calls);
    }

    /// Inside all kernels.
    double allKernelSeconds() {
      return kernelSeconds.values().stream().mapToDouble(s -> s).sum();
    }
  }

  /// All of a run.
  ///
  /// @param repetitions those that count, at least one
  /// @param warmups how many did not
  /// @param warmupSeconds how long these took
  /// @param batchedDecode tokens a second of all sequences together, by how many there were
  public record Measured(
      List<Repetition> repetitions,
      int warmups,
      double warmupSeconds,
      SortedMap<Integer, Spread> batchedDecode) {
    public Measured {
      repetitions = List.copyOf(repetitions);
      batchedDecode = Collections.unmodifiableSortedMap(new TreeMap<>(batchedDecode));
    }
  }

  private final BenchPlan plan;
  private final Optional<KernelProfile> profile;
  private final Consumer<String> progress;

  /// @param profile the one that the model was loaded with, if any
  /// @param progress hears a line before each repetition
  public BenchRun(BenchPlan plan, Optional<KernelProfile> profile, Consumer<String> progress) {
    this.plan = plan;
    this.profile = profile;
    this.progress = progress;
  }

  /// Runs warm-ups and repetitions.
  public Measured measure(LlamaModel model) {
    Measured alone = alone(model);
    BatchedDecode batched = new BatchedDecode(plan, progress);
    SortedMap<Integer, Spread> rates = new TreeMap<>();
    plan.sequences().forEach(n -> rates.put(n, batched.tokensPerSecond(model, n)));
    return new Measured(alone.repetitions, alone.warmups, alone.warmupSeconds, rates);
  }

  /// A session's.
  private Measured alone(LlamaModel model) {
    SplittableRandom random = new SplittableRandom(1);
    try (LlamaSession session = model.newSession()) {
      if (plan.depth() > 0) {
        progress.accept(String.format(Locale.ROOT, "filling %d tokens of context", plan.depth()));
        fill(session, random, model);
      }
      int warmups = 0;
      long start = System.nanoTime();
      double warmupSeconds = 0;
      while (warmupSeconds < plan.warmupSeconds()) {
        progress.accept(String.format(Locale.ROOT, "warm-up %d", ++warmups));
        repeat(session, random, model);
        warmupSeconds = (System.nanoTime() - start) / 1e9;
      }
      List<Repetition> repetitions = new ArrayList<>();
      for (int i = 1; i <= plan.repetitions(); i++) {
        progress.accept(String.format(Locale.ROOT, "repetition %d of %d", i, plan.repetitions()));
        repetitions.add(repeat(session, random, model));
      }
      if (plan.fullContext()) {
        progress.accept(
            String.format(Locale.ROOT, "filling the context of %d", session.capacity()));
        Measurements.fillWithNoise(session, session.capacity() - 1 - session.position(), 1);
        session.evaluate(tokens(random, 1, model), _ -> {});
      }
      return new Measured(repetitions, warmups, warmupSeconds, new TreeMap<>());
    }
  }

  private void fill(LlamaSession session, SplittableRandom random, LlamaModel model) {
    switch (plan.fill()) {
      case NOISE -> Measurements.fillWithNoise(session, plan.depth(), 1);
      case PROMPT ->
          session.generateTokens(
              tokens(random, plan.depth(), model), GenerationOptions.greedy(0), _ -> true);
    }
  }

  private Repetition repeat(LlamaSession session, SplittableRandom random, LlamaModel model) {
    int[] prompt = tokens(random, plan.promptTokens(), model);
    int[] first = tokens(random, 1, model);
    if (plan.order() == BenchPlan.Order.AFTER_PROMPT) {
      return converse(session, prompt);
    }
    profile.ifPresent(KernelProfile::reset);
    double prefill =
        prompt.length == 0 ? Double.NaN : seconds(session, prompt, 1, new TokenClock());
    Map<Operator<?, ?>, Long> promptCalls = calls();
    if (plan.genTokens() == 0) {
      return new Repetition(prefill, Double.NaN, List.of(), Optional.empty());
    }
    profile.ifPresent(KernelProfile::reset);
    TokenClock clock = new TokenClock();
    double decode = seconds(session, first, plan.genTokens(), clock);
    return new Repetition(
        prefill, decode, clock.seconds, profile.map(p -> Profile.of(p, promptCalls)));
  }

  /// A prompt and what follows it. The profile starts anew when the first token is there, so that
  /// its times are decoding's.
  private Repetition converse(LlamaSession session, int[] prompt) {
    session.rewind(plan.depth());
    profile.ifPresent(KernelProfile::reset);
    Map<Operator<?, ?>, Long> promptCalls = new TreeMap<>();
    TokenClock clock = new TokenClock();
    Generation generation =
        session.generateTokens(
            prompt,
            GenerationOptions.greedy(plan.genTokens()).ignoringEnd(),
            _ -> {
              if (promptCalls.isEmpty()) {
                promptCalls.putAll(calls());
                profile.ifPresent(KernelProfile::reset);
              }
              return clock.tick();
            });
    return new Repetition(
        generation.timeToFirstTokenSeconds(),
        generation.decodeSeconds(),
        clock.seconds,
        profile.map(p -> Profile.of(p, promptCalls)));
  }

  /// Calls of each operator since the profile's last reset; 0 without a profile.
  private Map<Operator<?, ?>, Long> calls() {
    Map<Operator<?, ?>, Long> calls = new TreeMap<>();
    for (Operator<?, ?> operator : Operator.values()) {
      calls.put(operator, profile.map(p -> p.calls(operator)).orElse(0L));
    }
    return calls;
  }

  /// Seconds to run a prompt at the plan's depth and to generate a number of tokens, of which the
  /// last is sampled and not run.
  private double seconds(LlamaSession session, int[] prompt, int tokens, TokenClock clock) {
    session.rewind(plan.depth());
    GenerationOptions options = GenerationOptions.greedy(tokens).ignoringEnd();
    Generation generation = session.generateTokens(prompt, options, _ -> clock.tick());
    return generation.timeToFirstTokenSeconds() + generation.decodeSeconds();
  }

  static int[] tokens(SplittableRandom random, int count, LlamaModel model) {
    return random.ints(count, 0, model.config().vocabulary()).toArray();
  }
}
