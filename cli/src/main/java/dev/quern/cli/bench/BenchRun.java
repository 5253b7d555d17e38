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
  /// @param decodeKernelSeconds of these, seconds inside each operator's kernels; empty without a
  ///   profile
  public record Repetition(
      double prefillSeconds, double decodeSeconds, Map<Operator, Double> decodeKernelSeconds) {}

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
  ///
  /// @return the repetitions, without the warm-ups
  public List<Repetition> measure(LlamaModel model) {
    List<Repetition> repetitions = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    int vocabulary = model.config().vocabulary();
    try (LlamaSession session = model.newSession()) {
      if (plan.depth() > 0) {
        progress.accept("filling %d tokens of context".formatted(plan.depth()));
        int[] context = tokens(random, plan.depth(), vocabulary);
        session.generateTokens(context, GenerationOptions.greedy(0), _ -> true);
      }
      for (int i = -plan.warmups(); i < plan.repetitions(); i++) {
        progress.accept(
            i < 0
                ? "warm-up %d of %d".formatted(i + plan.warmups() + 1, plan.warmups())
                : "repetition %d of %d".formatted(i + 1, plan.repetitions()));
        int[] prompt = tokens(random, plan.promptTokens(), vocabulary);
        Repetition repetition = repeat(session, prompt, random.nextInt(vocabulary));
        if (i >= 0) {
          repetitions.add(repetition);
        }
      }
    }
    return repetitions;
  }

  private Repetition repeat(LlamaSession session, int[] prompt, int firstToken) {
    double prefill = prompt.length == 0 ? Double.NaN : seconds(session, prompt, 1);
    if (plan.genTokens() == 0) {
      return new Repetition(prefill, Double.NaN, Map.of());
    }
    profile.ifPresent(KernelProfile::reset);
    double decode = seconds(session, new int[] {firstToken}, plan.genTokens());
    Map<Operator, Double> kernels = new EnumMap<>(Operator.class);
    for (Operator operator : Operator.values()) {
      profile.ifPresent(p -> kernels.put(operator, p.nanos(operator) / 1e9));
    }
    return new Repetition(prefill, decode, kernels);
  }

  /// Seconds to run a prompt at the plan's depth and to generate a number of tokens, of which the
  /// last is sampled and not run.
  private double seconds(LlamaSession session, int[] prompt, int tokens) {
    session.rewind(plan.depth());
    GenerationOptions options = GenerationOptions.greedy(tokens).ignoringEnd();
    Generation generation = session.generateTokens(prompt, options, _ -> true);
    return generation.timeToFirstTokenSeconds() + generation.decodeSeconds();
  }

  private static int[] tokens(SplittableRandom random, int count, int vocabulary) {
    return random.ints(count, 0, vocabulary).toArray();
  }
}
