package dev.quern.cli;

import dev.quern.cli.bench.BenchJson;
import dev.quern.cli.bench.BenchPlan;
import dev.quern.cli.bench.BenchResult;
import dev.quern.cli.bench.BenchRun;
import dev.quern.cli.bench.BenchText;
import dev.quern.cli.bench.Environment;
import dev.quern.cli.bench.ReadBandwidth;
import dev.quern.cli.bench.Spread;
import dev.quern.llama.Checkpoint;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern bench`: how fast a model runs, as llama-bench measures it.
@Command(
    name = "bench",
    description =
        "Measures prompt processing and decoding. A warm-up runs first and does not count; tokens are random, and both tests begin after --depth tokens of context.")
final class BenchCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      description = "Tokens of the prompt; 0 leaves prefill out. Default: ${DEFAULT-VALUE}.")
  int promptTokens = 512;

  @Option(
      names = {"-n", "--gen-tokens"},
      paramLabel = "N",
      description = "Tokens to decode; 0 leaves decoding out. Default: ${DEFAULT-VALUE}.")
  int genTokens = 128;

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "N",
      description = "Tokens of context before both. Default: ${DEFAULT-VALUE}.")
  int depth;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description = "How often both are measured. Default: ${DEFAULT-VALUE}.")
  int repetitions = 3;

  @Option(
      names = "--warmup",
      paramLabel = "SECONDS",
      description =
          "How long repetitions go on that don't count, one at least; 0: none. Default: ${DEFAULT-VALUE}.")
  double warmupSeconds = 5;

  @Option(
      names = "--read-bandwidth",
      description = "Also measure a plain read loop over the model file, to compare decoding with.")
  boolean readBandwidth;

  @Option(
      names = "--profile",
      description = "Also count the time that decoding spends in each operator, and outside all.")
  boolean profile;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the result as JSON.")
  Path json;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  BenchCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    BenchPlan plan = plan();
    if (readBandwidth && modelOptions.model == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--read-bandwidth reads a file: add --model FILE");
    }
    Environment environment = Environment.current();
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions options = modelOptions.options().withContext(context(plan));
    if (kernels.isPresent()) {
      options = options.withProfile(kernels.get());
    }
    BenchResult result;
    try (LlamaModel model = modelOptions.load(console, options)) {
      BenchRun.Measured measured =
          new BenchRun(plan, kernels, line -> console.err().println(line)).measure(model);
      OptionalLong peak = PeakMemory.residentBytes(); // before the read loop maps the file again
      result =
          new BenchResult(
              modelName(model),
              plan,
              measured,
              model.threads(),
              model.context(),
              model.loadSeconds(),
              peak,
              weightBytesPerToken(),
              readLoop(model.threads()),
              model.report(),
              environment);
    }
    console.out().print(BenchText.of(result));
    if (json != null) {
      writeJson(result);
    }
    return 0;
  }

  private BenchPlan plan() {
    try {
      return new BenchPlan(promptTokens, genTokens, depth, repetitions, warmupSeconds);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /// The user's, or as much as is needed.
  private int context(BenchPlan plan) {
    int needed = plan.context();
    if (modelOptions.context != 0 && modelOptions.context < needed) {
      throw new UserException(
          "--context: %d, expected at least %d for what is measured, or nothing"
              .formatted(modelOptions.context, needed));
    }
    return modelOptions.context == 0 ? needed : modelOptions.context;
  }

  private String modelName(LlamaModel model) {
    String name = model.config().name();
    return modelOptions.model == null ? name : "%s (%s)".formatted(name, modelOptions.model);
  }

  /// All tensors but an embedding matrix that does not serve as the output matrix: of that, a token
  /// reads one row.
  private OptionalLong weightBytesPerToken() throws IOException {
    if (modelOptions.model == null) {
      return OptionalLong.empty();
    }
    try (Checkpoint file = Checkpoint.open(modelOptions.model)) {
      boolean tied = file.find("output.weight").isEmpty();
      return OptionalLong.of(
          file.tensors().stream()
              .filter(t -> tied || !t.name().equals("token_embd.weight"))
              .mapToLong(Checkpoint.Tensor::byteSize)
              .sum());
    }
  }

  private Optional<Spread> readLoop(int threads) throws IOException {
    if (!readBandwidth) {
      return Optional.empty();
    }
    console.err().println("read loop");
    return Optional.of(ReadBandwidth.bytesPerSecond(modelOptions.model, threads));
  }

  private void writeJson(BenchResult result) {
    try {
      BenchJson.write(result, json);
    } catch (IOException e) {
      throw new UserException("--json: %s can't be written: %s".formatted(json, e.getMessage()), e);
    }
  }
}
