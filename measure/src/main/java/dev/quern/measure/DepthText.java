package dev.quern.measure;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a token costs after more and more context, as a table.
public final class DepthText {
  private DepthText() {}

  /// A line for each depth; ends with a line's end.
  ///
  /// @param results one for each depth, all of one model
  public static String of(List<BenchResult> results) {
    StringBuilder text =
        new StringBuilder(
            format(
                "%n%10s %22s %22s %16s%n",
                "depth", "prefill, ms/token", "decode, ms/token", "KV read, MiB"));
    for (BenchResult r : results) {
      text.append(
          format(
              "%10d %22s %22s %16.1f%n",
              r.plan().depth(),
              cost(r.prefillTokensPerSecond()),
              cost(r.decodeTokensPerSecond()),
              r.kvCacheBytes() / 0x1p20 * r.plan().depth() / r.context()));
    }
    return text.toString();
  }

  private static String cost(Optional<Spread> rate) {
    return rate.map(
            r -> format("%.2f [%.2f .. %.2f]", 1e3 / r.median(), 1e3 / r.max(), 1e3 / r.min()))
        .orElse("none");
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
