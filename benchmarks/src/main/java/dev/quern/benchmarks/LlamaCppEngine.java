package dev.quern.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.measure.Spread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/// llama.cpp, by `llama-bench` and `llama-completion`. For each workload and model the better of
/// flash attention on and off is found by one run of both, and used from then on.
final class LlamaCppEngine implements Engine {
  private static final Pattern CPU_VARIANT = Pattern.compile("libggml-cpu-\\w+\\.(so|dylib)");

  /// Which llama.cpp it is.
  ///
  /// @param number of the build; `unknown` before llama-bench has run
  /// @param variant the library of CPU kernels that it chose
  record Build(String number, String variant) {}

  private record Case(Workload workload, Path model) {}

  private final List<String> prefix;
  private final Optional<String> models;
  private final int threads;
  private final int repetitions;
  private final Map<Case, String> flashAttention = new HashMap<>(); // "0" or "1"
  private Build build = new Build("unknown", "unknown");

  /// @param prefix words before the tool's name in every command; may be empty
  /// @param models the folder that holds the models as the tools see it, where that differs
  LlamaCppEngine(List<String> prefix, Optional<String> models, int threads, int repetitions) {
    this.prefix = List.copyOf(prefix);
    this.models = models;
    this.threads = threads;
    this.repetitions = repetitions;
  }

  @Override
  public String name() {
    return "llama.cpp";
  }

  /// Build number and CPU variant, known after a first run.
  Build build() {
    return build;
  }

  @Override
  public List<String> benchCommand(Workload workload, Path model) {
    return benchCommand(
        workload, model, flashAttention.getOrDefault(new Case(workload, model), "0,1"));
  }

  @Override
  public double tokensPerSecond(Workload workload, Path model)
      throws IOException, InterruptedException {
    Case key = new Case(workload, model);
    if (!flashAttention.containsKey(key)) {
      Map<String, Double> both = measure(benchCommand(workload, model, "0,1"));
      flashAttention.put(key, both.get("0") >= both.get("1") ? "0" : "1");
    }
    return measure(benchCommand(workload, model)).values().iterator().next();
  }

  @Override
  public List<String> runCommand(Path model, String prompt, int maxTokens) {
    List<String> command = new ArrayList<>(prefix);
    command.add("llama-completion");
    command.addAll(List.of("-m", peerPath(model), "-t", Integer.toString(threads)));
    command.addAll(List.of("-c", "2048", "-p", prompt, "-n", Integer.toString(maxTokens)));
    // No chat, no empty run before the prompt, no fitting to a GPU: nothing but the one job.
    command.addAll(List.of("-no-cnv", "--temp", "0", "--no-warmup", "-fit", "off"));
    return command;
  }

  private List<String> benchCommand(Workload workload, Path model, String flashAttention) {
    List<String> command = new ArrayList<>(prefix);
    command.add("llama-bench");
    command.addAll(List.of("-m", peerPath(model), "-t", Integer.toString(threads)));
    command.addAll(List.of("-p", Integer.toString(workload.promptTokens())));
    command.addAll(List.of("-n", Integer.toString(workload.genTokens())));
    command.addAll(List.of("-d", Integer.toString(workload.depth())));
    command.addAll(List.of("-r", Integer.toString(repetitions), "-fa", flashAttention));
    command.addAll(List.of("-o", "json"));
    return command;
  }

  /// Median tokens a second by the value of `-fa`.
  private Map<String, Double> measure(List<String> command)
      throws IOException, InterruptedException {
    Child child = Child.run(command);
    JsonNode tests = new ObjectMapper().readTree(child.out());
    Map<String, Double> rates = new HashMap<>();
    for (JsonNode test : tests) {
      double[] samples =
          StreamSupport.stream(test.path("samples_ts").spliterator(), false)
              .mapToDouble(JsonNode::asDouble)
              .toArray();
      rates.put(flag(test.path("flash_attn")), new Spread(samples).median());
    }
    if (rates.isEmpty()) {
      throw new CompareException(Commands.text(command) + ": no tests in its JSON");
    }
    Matcher variant = CPU_VARIANT.matcher(child.err());
    build =
        new Build(
            tests.path(0).path("build_number").asText("unknown"),
            variant.find() ? variant.group() : "one CPU variant built in");
    return rates;
  }

  /// Older builds write a boolean, newer ones a number.
  private static String flag(JsonNode value) {
    return value.asBoolean() || value.asInt() == 1 ? "1" : "0";
  }

  private String peerPath(Path model) {
    return models
        .map(folder -> folder + "/" + model.getFileName())
        .orElse(model.toAbsolutePath().toString());
  }
}
