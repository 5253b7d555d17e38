package dev.quern.measure;

import dev.quern.KernelReport;
import dev.quern.Operator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/// All that a measurement says.
///
/// @param model the model's name
/// @param plan what was measured
/// @param measured the figures
/// @param threads threads of an operator
/// @param context positions of the KV cache
/// @param kvCacheBytes what these take
/// @param loadSeconds from the request to load to a model that is ready
/// @param peakResidentBytes the process's peak resident memory, where the system tells
/// @param fileBytes size of the files that hold the weights; empty for the demo model
/// @param weightBytes bytes of weights that a decoded token reads, as the file stores them; empty
///   for the demo model
/// @param readBandwidth bytes a second of a plain read loop, if it was asked for
/// @param kernels who ran what
/// @param environment machine and JVM
public record BenchResult(
    String model,
    BenchPlan plan,
    BenchRun.Measured measured,
    int threads,
    int context,
    long kvCacheBytes,
    double loadSeconds,
    OptionalLong peakResidentBytes,
    OptionalLong fileBytes,
    OptionalLong weightBytes,
    Optional<Spread> readBandwidth,
    KernelReport kernels,
    Environment environment) {

  /// Prompt tokens a second; empty if no prompt was measured.
  public Optional<Spread> prefillTokensPerSecond() {
    return spread(plan.promptTokens(), r -> plan.promptTokens() / r.prefillSeconds());
  }

  /// Seconds from a prompt of token ids to the first generated token.
  public Optional<Spread> timeToFirstTokenSeconds() {
    return spread(plan.promptTokens(), BenchRun.Repetition::prefillSeconds);
  }

  /// Decoded tokens a second; empty if none were.
  public Optional<Spread> decodeTokensPerSecond() {
    return spread(plan.genTokens(), r -> plan.decodedTokens() / r.decodeSeconds());
  }

  /// Bytes of weights that decoding reads a second, by its median.
  public OptionalDouble decodeBytesPerSecond() {
    Optional<Spread> rate = decodeTokensPerSecond();
    return rate.isPresent() && weightBytes.isPresent()
        ? OptionalDouble.of(rate.get().median() * weightBytes.getAsLong())
        : OptionalDouble.empty();
  }

  /// Share of decoding's time that was spent outside kernels; empty without a profile.
  public Optional<Spread> decodeShareOutsideKernels() {
    return profiled((p, seconds) -> 1 - p.allKernelSeconds() / seconds);
  }

  /// Share of decoding's time in which one thread was in a kernel and the others had nothing to do.
  public Optional<Spread> decodeShareSerial() {
    return profiled((p, seconds) -> (p.allKernelSeconds() - p.parallelSeconds()) / seconds);
  }

  /// Share of decoding's time that threads lost in parallel runs, waking up and waiting for each
  /// other: the cost of joins.
  public Optional<Spread> decodeShareWaiting() {
    return profiled((p, seconds) -> (p.parallelSeconds() - p.taskSeconds() / threads) / seconds);
  }

  /// Median seconds of a decoded token inside each operator's kernels; empty without a profile.
  public Map<Operator<?, ?>, Double> decodeKernelSecondsPerToken() {
    Map<Operator<?, ?>, Double> seconds = new TreeMap<>();
    for (Operator<?, ?> operator : Operator.values()) {
      profiled((p, _) -> p.kernelSeconds().get(operator) / plan.decodedTokens())
          .ifPresent(s -> seconds.put(operator, s.median()));
    }
    return seconds;
  }

  /// Calls of each operator's kernels in one repetition; empty without a profile.
  public Optional<Map<Operator<?, ?>, Long>> kernelCalls() {
    return measured.repetitions().getLast().profile().map(BenchRun.Profile::calls);
  }

  /// Whether every figure is stable, see [Spread#stable()].
  public boolean stable() {
    return prefillTokensPerSecond().map(Spread::stable).orElse(true)
        && decodeTokensPerSecond().map(Spread::stable).orElse(true)
        && measured.batchedDecode().values().stream().allMatch(Spread::stable);
  }

  private Optional<Spread> profiled(ToDoubleBiFunction<BenchRun.Profile, Double> figure) {
    return measured.repetitions().getFirst().profile().isEmpty()
        ? Optional.empty()
        : spread(
            plan.genTokens(),
            r -> figure.applyAsDouble(r.profile().orElseThrow(), r.decodeSeconds()));
  }

  private Optional<Spread> spread(int tokens, ToDoubleFunction<BenchRun.Repetition> figure) {
    return tokens == 0
        ? Optional.empty()
        : Optional.of(new Spread(measured.repetitions().stream().mapToDouble(figure).toArray()));
  }
}
