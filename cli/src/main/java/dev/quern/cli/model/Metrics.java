package dev.quern.cli.model;

import dev.quern.llama.Generation;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.PageUse;
import dev.quern.measure.PeakMemory;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/// What every run reports.
///
/// @param loadSeconds from the request to load to a model that is ready
/// @param generation the generation's own figures
/// @param peakResidentBytes the process's peak resident memory, where the system tells
/// @param kvCache what the KV cache is, and takes
/// @param kvCacheBytes of a full context
/// @param pages what lies in huge pages
/// @param threads threads of an operator
/// @param providers who ran what, in one line
public record Metrics(
    double loadSeconds,
    Generation generation,
    OptionalLong peakResidentBytes,
    String kvCache,
    long kvCacheBytes,
    PageUse pages,
    int threads,
    String providers) {

  public static Metrics of(LlamaModel model, Generation generation) {
    return new Metrics(
        model.loadSeconds(),
        generation,
        PeakMemory.residentBytes(),
        kvCache(model),
        model.kvCacheBytes(),
        model.pages(),
        model.threads(),
        model.report().summary());
  }

  /// The KV cache of a session, as said before it is allocated.
  static String kvCache(LlamaModel model) {
    return String.format(
        Locale.ROOT,
        "KV cache up to %.1f MiB (%d positions, %s)",
        model.kvCacheBytes() / 0x1p20,
        model.context(),
        model.kvFormat());
  }

  /// One line for people.
  public String line() {
    return String.format(
        Locale.ROOT,
        "load %.2f s | first token %s | prefill %s (%d tokens) | decode %s (%d tokens, %s) | peak memory %s | %s | %s | %d threads | %s",
        loadSeconds,
        number(generation.timeToFirstTokenSeconds(), "%.3f s"),
        number(generation.prefillTokensPerSecond(), "%.1f tok/s"),
        generation.promptTokens(),
        number(generation.decodeTokensPerSecond(), "%.1f tok/s"),
        generation.tokens().size(),
        generation.stop().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        peakResidentBytes.isPresent()
            ? number(peakResidentBytes.getAsLong() / (double) (1 << 20), "%.0f MiB")
            : "unknown on this system",
        kvCache,
        pages.text(),
        threads,
        providers);
  }

  /// The same as JSON, by name; a figure that does not exist is null.
  public Map<String, Object> figures() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("loadSeconds", loadSeconds);
    json.put("timeToFirstTokenSeconds", orNull(generation.timeToFirstTokenSeconds()));
    json.put("prefillTokensPerSecond", orNull(generation.prefillTokensPerSecond()));
    json.put("decodeTokensPerSecond", orNull(generation.decodeTokensPerSecond()));
    json.put("promptTokens", generation.promptTokens());
    json.put("generatedTokens", generation.tokens().size());
    json.put("stop", generation.stop().name());
    json.put(
        "peakResidentBytes", peakResidentBytes.isPresent() ? peakResidentBytes.getAsLong() : null);
    json.put("kvCacheBytes", kvCacheBytes);
    json.put("hugePageBytes", pages.givenBytes());
    json.put("hugePages", pages.text());
    json.put("threads", threads);
    json.put("providers", providers);
    return json;
  }

  private static String number(double value, String format) {
    return Double.isNaN(value) ? "none" : String.format(Locale.ROOT, format, value);
  }

  private static Double orNull(double value) {
    return Double.isNaN(value) ? null : value;
  }
}
