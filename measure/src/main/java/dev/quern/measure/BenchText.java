package dev.quern.measure;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// A result for people.
public final class BenchText {
  private static final int COLD_TOKENS = 20;

  private final BenchResult result;
  private final StringBuilder text = new StringBuilder();

  private BenchText(BenchResult result) {
    this.result = result;
  }

  /// Several lines, the last one ended.
  public static String of(BenchResult result) {
    BenchText page = new BenchText(result);
    page.conditions();
    page.figures();
    page.coldTokens();
    page.bandwidth();
    page.profile();
    page.verdict();
    return page.text.toString();
  }

  private void conditions() {
    Environment environment = result.environment();
    line("model", "%s", result.model());
    line(
        "machine",
        "%s, %d processors, load average %s before the run",
        environment.cpu(),
        environment.processors(),
        Double.isNaN(environment.loadAverage())
            ? "unknown"
            : String.format(Locale.ROOT, "%.2f", environment.loadAverage()));
    line("JVM", "%s %s", environment.jvm(), String.join(" ", environment.jvmOptions()));
    line(
        "run",
        "%d threads, context %d (KV cache %.1f MiB), %d tokens deep%s; a warm-up of %d repetitions in %.1f s is not counted",
        result.threads(),
        result.context(),
        result.kvCacheBytes() / 0x1p20,
        result.plan().depth(),
        filled(),
        result.measured().warmups(),
        result.measured().warmupSeconds());
    text.append(System.lineSeparator()).append(result.kernels().text());
  }

  /// Said where it matters: noise is not what a conversation would hold.
  private String filled() {
    BenchPlan plan = result.plan();
    return plan.depth() > 0 && plan.fill() == BenchPlan.Fill.NOISE
        ? " (random keys and values)"
        : "";
  }

  private void figures() {
    text.append(
        String.format(
            Locale.ROOT, "%n%-22s %10s %10s %10s %8s%n", "", "median", "min", "max", "spread"));
    row(
        String.format(Locale.ROOT, "prefill %d, tok/s", result.plan().promptTokens()),
        result.prefillTokensPerSecond());
    row("first token, s", result.timeToFirstTokenSeconds());
    row(
        String.format(Locale.ROOT, "decode %d, tok/s", result.plan().decodedTokens()),
        result.decodeTokensPerSecond());
    result
        .measured()
        .batchedDecode()
        .forEach((sequences, rate) ->
            row(String.format(Locale.ROOT, "decode %d at once", sequences), Optional.of(rate)));
    text.append(System.lineSeparator());
    line("load", "%.2f s", result.loadSeconds());
    line(
        "peak memory",
        "%s",
        result.peakResidentBytes().isPresent()
            ? String.format(
                Locale.ROOT, "%.0f MiB resident", result.peakResidentBytes().getAsLong() / 0x1p20)
            : "unknown on this system");
  }

  /// What nothing has warmed up is told apart, token by token.
  private void coldTokens() {
    List<Double> seconds = result.measured().repetitions().getFirst().tokenSeconds();
    if (result.measured().warmups() == 0 && !seconds.isEmpty()) {
      line(
          "first tokens",
          "%s ms",
          seconds.stream()
              .limit(COLD_TOKENS)
              .map(s -> format("%.1f", s * 1e3))
              .collect(Collectors.joining(" ")));
    }
  }

  private void bandwidth() {
    if (result.decodeBytesPerSecond().isEmpty()) {
      return;
    }
    double decode = result.decodeBytesPerSecond().getAsDouble();
    String loop =
        result
            .readBandwidth()
            .map(b ->
                format(
                    "; a plain read loop on %d threads %.1f GB/s, so %.0f %% of it",
                    result.threads(), b.median() / 1e9, 100 * decode / b.median()))
            .orElse("");
    line(
        "decode reads",
        "%.1f GB/s of weights (%.0f MB a token)%s",
        decode / 1e9,
        result.weightBytes().getAsLong() / 1e6,
        loop);
  }

  private void profile() {
    share("outside kernels", result.decodeShareOutsideKernels(), "");
    share("serial kernels", result.decodeShareSerial(), ": one thread works, the others can't");
    share("waiting", result.decodeShareWaiting(), ": threads that wake up or wait for a join");
    result
        .decodeKernelSecondsPerToken()
        .forEach((operator, seconds) -> line("  " + operator, "%.3f ms a token", seconds * 1e3));
  }

  private void share(String name, Optional<Spread> share, String meaning) {
    share.ifPresent(s -> line(name, "%.2f %% of decode's time%s", 100 * s.median(), meaning));
  }

  private void verdict() {
    if (!result.stable()) {
      line(
          "UNSTABLE",
          "repetitions differ by more than %.0f %%: quieten the machine and measure again",
          100 * Spread.STABLE);
    } else if (result.plan().repetitions() == 1) {
      line("note", "one repetition says nothing about the spread: add --repetitions 3");
    }
  }

  private void row(String name, Optional<Spread> figure) {
    figure.ifPresent(f ->
        text.append(
            format(
                "%-22s %10.3f %10.3f %10.3f %6.1f %%%n",
                name, f.median(), f.min(), f.max(), 100 * f.relative())));
  }

  private void line(String name, String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, "%-16s", name))
        .append(format(format, arguments))
        .append(System.lineSeparator());
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
