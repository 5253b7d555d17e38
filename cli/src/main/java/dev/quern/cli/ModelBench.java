package dev.quern.cli;

import dev.quern.cli.bench.BenchPlan;
import dev.quern.cli.bench.BenchResult;
import dev.quern.cli.bench.BenchRun;
import dev.quern.cli.bench.Environment;
import dev.quern.cli.bench.ReadBandwidth;
import dev.quern.cli.bench.Spread;
import dev.quern.llama.Checkpoint;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Measures one model in this process, at one depth or at several.
///
/// @param options what runs, on what
/// @param readBandwidth whether a plain read loop is measured too
/// @param profile whether time in kernels is counted
record ModelBench(BenchModels options, boolean readBandwidth, boolean profile, Console console) {
  /// @param plans one for each depth
  List<BenchResult> run(List<BenchPlan> plans) throws IOException {
    Environment environment = Environment.current();
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions loading = options.options(options.provider()).withContext(context(plans));
    loading = kernels.map(loading::withProfile).orElse(loading);
    List<BenchResult> results = new ArrayList<>();
    try (LlamaModel model = ModelOptions.load(console, options.model(), loading)) {
      List<Path> files = files();
      OptionalLong fileBytes = fileBytes(files);
      OptionalLong weightBytes = weightBytesPerToken();
      for (BenchPlan plan : plans) {
        if (plans.size() > 1) {
          console.err().println("depth " + plan.depth());
        }
        BenchRun.Measured measured =
            new BenchRun(plan, kernels, line -> console.err().println(line)).measure(model);
        OptionalLong peak = PeakMemory.residentBytes(); // before the read loop maps the file again
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
                fileBytes,
                weightBytes,
                last ? readLoop(files, model.threads()) : Optional.empty(),
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
          "--context: %d, expected at least %d for what is measured, or nothing"
              .formatted(options.context, needed));
    }
    return options.context == 0 ? needed : options.context;
  }

  private String name(LlamaModel model) {
    String name = model.config().name();
    return options.model().map(m -> "%s (%s)".formatted(name, m)).orElse(name);
  }

  /// The files of the weights; none for the demo model.
  private List<Path> files() throws IOException {
    if (options.model().isEmpty()) {
      return List.of();
    }
    try (Checkpoint checkpoint = Checkpoint.open(options.model().get())) {
      return checkpoint.files();
    }
  }

  private static OptionalLong fileBytes(List<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return files.isEmpty() ? OptionalLong.empty() : OptionalLong.of(bytes);
  }

  /// All tensors but an embedding matrix that does not serve as the output matrix: of that, a token
  /// reads one row.
  private OptionalLong weightBytesPerToken() throws IOException {
    if (options.model().isEmpty()) {
      return OptionalLong.empty();
    }
    try (Checkpoint file = Checkpoint.open(options.model().get())) {
      boolean tied = file.find("output.weight").isEmpty();
      return OptionalLong.of(
          file.tensors().stream()
              .filter(t -> tied || !t.name().equals("token_embd.weight"))
              .mapToLong(Checkpoint.Tensor::byteSize)
              .sum());
    }
  }

  private Optional<Spread> readLoop(List<Path> files, int threads) throws IOException {
    if (!readBandwidth) {
      return Optional.empty();
    }
    console.err().println("read loop");
    return Optional.of(ReadBandwidth.bytesPerSecond(files, threads));
  }
}
