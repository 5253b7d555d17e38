package dev.quern.measure;

import dev.quern.Choice;
import dev.quern.Operator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A result for programs: a JSON object. A figure that was not measured is null; a figure with a
/// spread is its median, and `spread` has the rest.
public final class BenchJson {
  private BenchJson() {}

  /// A result's object, or where there are several, at several depths, `depths` with one each.
  public static Map<String, Object> of(List<BenchResult> results) {
    return results.size() == 1
        ? of(results.getFirst())
        : Map.of("depths", results.stream().map(BenchJson::of).toList());
  }

  static Map<String, Object> of(BenchResult r) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prefillTokensPerSecond", median(r.prefillTokensPerSecond()));
    json.put("decodeTokensPerSecond", median(r.decodeTokensPerSecond()));
    json.put("timeToFirstTokenSeconds", median(r.timeToFirstTokenSeconds()));
    Map<String, Object> batched = new LinkedHashMap<>();
    Map<String, Object> batchedSpread = new LinkedHashMap<>();
    r.measured()
        .batchedDecode()
        .forEach((sequences, rate) -> {
          batched.put(sequences.toString(), rate.median());
          batchedSpread.put(sequences.toString(), of(Optional.of(rate)));
        });
    json.put("batchedDecodeTokensPerSecond", batched.isEmpty() ? null : batched);
    json.put("loadSeconds", r.loadSeconds());
    json.put(
        "peakResidentBytes",
        r.peakResidentBytes().isPresent() ? r.peakResidentBytes().getAsLong() : null);
    json.put("providers", r.kernels().choices().stream().map(BenchJson::of).toList());
    json.put("stable", r.stable());
    Map<String, Object> spread = new LinkedHashMap<>();
    spread.put("prefillTokensPerSecond", of(r.prefillTokensPerSecond()));
    spread.put("decodeTokensPerSecond", of(r.decodeTokensPerSecond()));
    spread.put("timeToFirstTokenSeconds", of(r.timeToFirstTokenSeconds()));
    spread.put("batchedDecodeTokensPerSecond", batched.isEmpty() ? null : batchedSpread);
    json.put("spread", spread);
    json.put(
        "tokenSeconds",
        r.measured().repetitions().stream().map(BenchRun.Repetition::tokenSeconds).toList());
    json.put(
        "weightBytesPerToken", r.weightBytes().isPresent() ? r.weightBytes().getAsLong() : null);
    json.put(
        "decodeBytesPerSecond",
        r.decodeBytesPerSecond().isPresent() ? r.decodeBytesPerSecond().getAsDouble() : null);
    json.put("readLoopBytesPerSecond", median(r.readBandwidth()));
    json.put("decodeShareOutsideKernels", median(r.decodeShareOutsideKernels()));
    json.put("decodeShareSerial", median(r.decodeShareSerial()));
    json.put("decodeShareWaiting", median(r.decodeShareWaiting()));
    Map<String, Object> kernels = new LinkedHashMap<>();
    r.decodeKernelSecondsPerToken().forEach((operator, s) -> kernels.put(operator.id(), s));
    json.put("decodeKernelSecondsPerToken", kernels.isEmpty() ? null : kernels);
    json.put("kernelCalls", r.kernelCalls().map(BenchJson::byId).orElse(null));
    json.put("selection", r.kernels().selection());
    json.put("model", r.model());
    json.put("fileBytes", r.fileBytes().isPresent() ? r.fileBytes().getAsLong() : null);
    json.put("promptTokens", r.plan().promptTokens());
    json.put("genTokens", r.plan().genTokens());
    json.put("decodedTokens", r.plan().decodedTokens());
    json.put("depth", r.plan().depth());
    json.put("fill", id(r.plan().fill()));
    json.put("order", id(r.plan().order()));
    json.put("fullContext", r.plan().fullContext());
    json.put("repetitions", r.plan().repetitions());
    json.put("warmups", r.measured().warmups());
    json.put("warmupSeconds", r.measured().warmupSeconds());
    json.put("threads", r.threads());
    json.put("context", r.context());
    json.put("kvCacheBytes", r.kvCacheBytes());
    json.put("environment", of(r.environment()));
    return json;
  }

  private static String id(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Map<String, Object> byId(Map<Operator<?, ?>, Long> calls) {
    Map<String, Object> json = new LinkedHashMap<>();
    calls.forEach((operator, count) -> json.put(operator.id(), count));
    return json;
  }

  private static Map<String, Object> of(Choice choice) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("operator", choice.operator().id());
    json.put("provider", choice.provider());
    json.put("uses", choice.uses());
    json.put("spec", choice.spec());
    json.put(
        "variants",
        choice.variants().stream()
            .map(v ->
                Map.of(
                    "name", v.name(),
                    "minRows", v.minRows(),
                    "numerics", v.numerics().toString()))
            .toList());
    return json;
  }

  private static Map<String, Object> of(Environment environment) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("cpu", environment.cpu());
    json.put("processors", environment.processors());
    json.put(
        "loadAverage", Double.isNaN(environment.loadAverage()) ? null : environment.loadAverage());
    json.put("jvm", environment.jvm());
    json.put("jvmOptions", environment.jvmOptions());
    return json;
  }

  private static Map<String, Object> of(Optional<Spread> figure) {
    if (figure.isEmpty()) {
      return null;
    }
    Spread spread = figure.get();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("median", spread.median());
    json.put("min", spread.min());
    json.put("max", spread.max());
    json.put("relative", spread.relative());
    json.put("samples", spread.samples());
    return json;
  }

  private static Double median(Optional<Spread> figure) {
    return figure.map(Spread::median).orElse(null);
  }
}
