package dev.quern.llama;

import dev.quern.KernelReport;
import dev.quern.Kernels;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.load.OperatorSpecs;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.load.WeightPlan;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// Says what a load would do, without loading weights. What the methods promise is said where
/// [LlamaModel] has them.
final class ModelExplainer {
  private ModelExplainer() {}

  static KernelReport explain(ModelSource source, LoadOptions options) throws IOException {
    try (Kernels kernels = Kernels.load(options.kernels());
        Checkpoint checkpoint = source.open()) {
      LlamaConfig config = checkpoint.config();
      OperatorSpecs.of(config, options.context(config), options.kv()).choose(kernels);
      new WeightPlan(checkpoint).choose(kernels);
      return kernels.report();
    }
  }

  static List<NeededKernel> neededKernels(ModelSource source, KvFormat kv) throws IOException {
    try (Checkpoint checkpoint = source.open()) {
      LlamaConfig config = checkpoint.config();
      int context = config.contextLength();
      return Stream.concat(
              OperatorSpecs.of(config, context, kv).all().stream()
                  .map(spec -> new NeededKernel(spec, List.of(), context)),
              new WeightPlan(checkpoint)
                  .runs().stream().map(run -> new NeededKernel(run.spec(), run.stacked(), context)))
          .toList();
    }
  }

  static Optional<String> hugePageRefusal(LoadOptions options) {
    return Surroundings.THIS_MACHINE.hugePages().refusal(options.kernels());
  }

  static String threads(LoadOptions options) {
    return String.format(
        Locale.ROOT, "%d (%s)", options.threads(), Surroundings.THIS_MACHINE.cpus().get().text());
  }
}
