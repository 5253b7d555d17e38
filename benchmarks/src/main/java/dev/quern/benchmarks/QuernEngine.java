package dev.quern.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Quern, by its launcher: `quern bench` and `quern run`.
///
/// @param launcher path of `./quern`
record QuernEngine(String launcher, int threads, int repetitions) implements Engine {
  @Override
  public String name() {
    return "Quern";
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
      String key = workload.genTokens() == 0 ? "prefillTokensPerSecond" : "decodeTokensPerSecond";
      JsonNode figure = new ObjectMapper().readTree(json.toFile()).path(key);
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
