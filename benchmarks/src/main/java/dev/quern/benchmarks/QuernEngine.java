package dev.quern.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/// Quern, by its launcher: `quern bench` and `quern run`.
final class QuernEngine implements Engine {
  private static final Pattern PROVIDER = Pattern.compile("(?<=\\s|^)-Dquern\\.provider=(\\S+)");

  private record Case(Workload workload, Path model) {}

  private final String launcher;
  private final String asked;
  private final int threads;
  private final int repetitions;
  private final Map<Case, String> providers = new HashMap<>(); // of linear operators

  /// @param launcher path of `./quern`
  /// @param environment environment variables, of which some choose providers
  QuernEngine(String launcher, Map<String, String> environment, int threads, int repetitions) {
    this.launcher = launcher;
    this.asked = asked(environment);
    this.threads = threads;
    this.repetitions = repetitions;
  }

  @Override
  public String name() {
    return "Quern";
  }

  /// The provider that ran the linear operators, or several, joined by `+`. `quern run` does not
  /// tell, so for what it measures the providers that were asked for.
  String provider(Workload workload, Path model) {
    return providers.getOrDefault(new Case(workload, model), asked);
  }

  /// As Quern itself decides: its property wins over the variable.
  private static String asked(Map<String, String> environment) {
    return PROVIDER
        .matcher(environment.getOrDefault("QUERN_JAVA_OPTS", ""))
        .results()
        .map(m -> m.group(1))
        .reduce((_, last) -> last)
        .orElse(environment.getOrDefault("QUERN_PROVIDER", "auto"));
  }

  @Override
  public List<String> benchCommand(Workload workload, Path model) {
    return List.of(
        launcher,
        "bench",
        "--model",
        model.toString(),
        "--threads",
        Integer.toString(threads),
        "--prompt-tokens",
        Integer.toString(workload.promptTokens()),
        "--gen-tokens",
        Integer.toString(workload.genTokens()),
        "--depth",
        Integer.toString(workload.depth()),
        "--repetitions",
        Integer.toString(repetitions));
  }

  @Override
  public double tokensPerSecond(Workload workload, Path model)
      throws IOException, InterruptedException {
    Path json = Files.createTempFile("quern-bench", ".json");
    try {
      List<String> command =
          Commands.with(benchCommand(workload, model), "--json", json.toString());
      Child.run(command);
      JsonNode result = new ObjectMapper().readTree(json.toFile());
      String linear =
          StreamSupport.stream(result.path("providers").spliterator(), false)
              .filter(choice -> choice.path("operator").asText().equals("linear"))
              .map(choice -> choice.path("provider").asText())
              .distinct()
              .collect(Collectors.joining("+"));
      if (linear.isEmpty()) {
        throw new CompareException(
            Commands.text(command) + ": no provider of linear operators in its JSON");
      }
      providers.put(new Case(workload, model), linear);
      String key = workload.genTokens() == 0 ? "prefillTokensPerSecond" : "decodeTokensPerSecond";
      JsonNode figure = result.path(key);
      if (!figure.isNumber()) {
        throw new CompareException(
            String.format(Locale.ROOT, "%s: no %s in its JSON", Commands.text(command), key));
      }
      return figure.asDouble();
    } finally {
      Files.delete(json);
    }
  }

  @Override
  public List<String> runCommand(Path model, String prompt, int maxTokens) {
    return List.of(
        launcher,
        "run",
        "--model",
        model.toString(),
        "--threads",
        Integer.toString(threads),
        "--context",
        "2048",
        "--prompt",
        prompt,
        "--max-tokens",
        Integer.toString(maxTokens));
  }
}
