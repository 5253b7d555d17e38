package dev.quern.cli.bench;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.measure.BenchPlan;
import dev.quern.measure.BenchResult;
import dev.quern.measure.BenchRun;
import dev.quern.measure.Environment;
import dev.quern.measure.PeakMemory;
import dev.quern.measure.ReadBandwidth;
import dev.quern.measure.Spread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/// Measures one model in this process, at one depth or at several.
///
/// @param options what runs, on what
/// @param readBandwidth whether a plain read loop is measured too
/// @param profile whether time in kernels is counted
record ModelBench(BenchModels options, boolean readBandwidth, boolean profile, Console console) {
  /// Weights as they are stored.
  ///
  /// @param bytesPerToken all tensors but an embedding matrix that does not serve as the output
  ///   matrix: of that, a token reads one row
  private record Weights(long fileBytes, long bytesPerToken) {
    static Weights of(Checkpoint checkpoint) throws IOException {
      long fileBytes = 0;
      for (Path file : checkpoint.files()) {
        fileBytes += Files.size(file);
      }
      boolean tied = checkpoint.find("output.weight").isEmpty();
      long perToken =
          checkpoint.tensors().stream()
              .filter(t -> tied || !t.name().equals("token_embd.weight"))
              .mapToLong(Checkpoint.Tensor::byteSize)
              .sum();
      return new Weights(fileBytes, perToken);
    }
  }

  /// @param plans one for each depth
  List<BenchResult> run(List<BenchPlan> plans) throws IOException {
    Environment environment = Environment.current();
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions loading = options.options(options.provider()).withContext(context(plans));
    loading = kernels.map(loading::withProfile).orElse(loading);
    List<BenchResult> results = new ArrayList<>();
    try (LlamaModel model = ModelOptions.load(console, options.model(), loading)) {
      Optional<Weights> weights = weights();
      for (BenchPlan plan : plans) {
        if (plans.size() > 1) {
          console.err().println("depth " + plan.depth());
        }
        BenchRun.Measured measured =
            new BenchRun(plan, kernels, line -> console.err().println(line)).measure(model);
        OptionalLong peak = PeakMemory.residentBytes(); // the read loop has memory of its own
        boolean last = plan == plans.getLast();
        results.add(
            new BenchResult(
                name(model),
                plan,
                measured,
                model.threads(),
                model.context(),
                model.kvCacheBytes(),
                model.loadSeconds(),
                peak,
                weights.stream().mapToLong(Weights::fileBytes).findFirst(),
                weights.stream().mapToLong(Weights::bytesPerToken).findFirst(),
                last ? readLoop(weights, model) : Optional.empty(),
                model.report(),
                environment));
      }
    }
    return results;
  }

  /// The user's, or as much as is needed.
  private int context(List<BenchPlan> plans) {
    int needed = plans.stream().mapToInt(BenchPlan::context).max().orElseThrow();
    if (options.context != 0 && options.context < needed) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--context: %d, expected at least %d for what is measured, or nothing",
              options.context,
              needed));
    }
    return options.context == 0 ? needed : options.context;
  }

  private String name(LlamaModel model) {
    String name = model.config().name();
    return options.model().map(m -> String.format(Locale.ROOT, "%s (%s)", name, m)).orElse(name);
  }

  /// The weights, of which the model says nothing once they are packed; empty for the demo model.
  private Optional<Weights> weights() throws IOException {
    if (options.model().isEmpty()) {
      return Optional.empty();
    }
    try (Checkpoint checkpoint = Checkpoint.open(options.model().get())) {
      return Optional.of(Weights.of(checkpoint));
    }
  }

  private Optional<Spread> readLoop(Optional<Weights> weights, LlamaModel model) {
    if (!readBandwidth) {
      return Optional.empty();
    }
    console.err().println("read loop");
    return Optional.of(
        ReadBandwidth.bytesPerSecond(
            model, weights.orElseThrow().bytesPerToken(), model.threads()));
  }
}
