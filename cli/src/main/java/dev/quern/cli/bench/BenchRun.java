package dev.quern.cli.bench;

import dev.quern.Operator;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
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
  /// @param decodeProfile where these went; empty without a profile
  public record Repetition(
      double prefillSeconds, double decodeSeconds, Optional<Profile> decodeProfile) {}

  /// Where decoding's time went.
  ///
  /// @param kernelSeconds inside each operator's kernels
  /// @param parallelSeconds of that, in runs on several threads
  /// @param taskSeconds inside their tasks, summed over the threads
  public record Profile(
      Map<Operator, Double> kernelSeconds, double parallelSeconds, double taskSeconds) {
    static Profile of(KernelProfile profile) {
      Map<Operator, Double> kernels = new EnumMap<>(Operator.class);
      for (Operator operator : Operator.values()) {
        kernels.put(operator, profile.nanos(operator) / 1e9);
      }
      return new Profile(kernels, profile.parallelNanos() / 1e9, profile.taskNanos() / 1e9);
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
  public record Measured(List<Repetition> repetitions, int warmups, double warmupSeconds) {
    public Measured {
      repetitions = List.copyOf(repetitions);
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
    SplittableRandom random = new SplittableRandom(1);
    try (LlamaSession session = model.newSession()) {
      if (plan.depth() > 0) {
        progress.accept("filling %d tokens of context".formatted(plan.depth()));
        int[] context = tokens(random, plan.depth(), model);
        session.generateTokens(context, GenerationOptions.greedy(0), _ -> true);
      }
      int warmups = 0;
      long start = System.nanoTime();
      double warmupSeconds = 0;
      while (warmupSeconds < plan.warmupSeconds()) {
        progress.accept("warm-up %d".formatted(++warmups));
        repeat(session, random, model);
        warmupSeconds = (System.nanoTime() - start) / 1e9;
      }
      List<Repetition> repetitions = new ArrayList<>();
      for (int i = 1; i <= plan.repetitions(); i++) {
        progress.accept("repetition %d of %d".formatted(i, plan.repetitions()));
        repetitions.add(repeat(session, random, model));
      }
      return new Measured(repetitions, warmups, warmupSeconds);
    }
  }

  private Repetition repeat(LlamaSession session, SplittableRandom random, LlamaModel model) {
    int[] prompt = tokens(random, plan.promptTokens(), model);
    int[] first = tokens(random, 1, model);
    double prefill = prompt.length == 0 ? Double.NaN : seconds(session, prompt, 1);
    if (plan.genTokens() == 0) {
      return new Repetition(prefill, Double.NaN, Optional.empty());
    }
    profile.ifPresent(KernelProfile::reset);
    double decode = seconds(session, first, plan.genTokens());
    return new Repetition(prefill, decode, profile.map(Profile::of));
  }

  /// Seconds to run a prompt at the plan's depth and to generate a number of tokens, of which the
  /// last is sampled and not run.
  private double seconds(LlamaSession session, int[] prompt, int tokens) {
    session.rewind(plan.depth());
    GenerationOptions options = GenerationOptions.greedy(tokens).ignoringEnd();
    Generation generation = session.generateTokens(prompt, options, _ -> true);
    return generation.timeToFirstTokenSeconds() + generation.decodeSeconds();
  }

  private static int[] tokens(SplittableRandom random, int count, LlamaModel model) {
    return random.ints(count, 0, model.config().vocabulary()).toArray();
  }
}
