package dev.quern.cli.conformance;

import dev.quern.KernelOptions;
import dev.quern.conformance.ModelKernel;
import dev.quern.data.KvFormat;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.NeededKernel;
import dev.quern.llama.text.Printable;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The kernels of `quern conformance --models`: those that `quern explain` shows for each model,
/// with the KV cache that it has by default.
final class ConformanceModels {
  private ConformanceModels() {}

  /// Each kernel once for each model.
  ///
  /// @throws IOException if a file can't be read; like a model that can't be used, which has
  ///   exceptions of its own, it ends a command in one line
  static List<ModelKernel> kernels(List<Path> models) throws IOException {
    boolean exact =
        KernelOptions.fromSystem()
            .properties()
            .getOrDefault("quern.numerics", "")
            .contains("exact");
    List<ModelKernel> kernels = new ArrayList<>();
    for (Path model : models) {
      for (NeededKernel needed : LlamaModel.neededKernels(model, KvFormat.F16)) {
        Object spec =
            exact && needed.spec() instanceof LinearSpec linear
                ? linear.withTolerated(Set.of(Numerics.EXACT_F32))
                : needed.spec();
        kernels.add(
            new ModelKernel(
                Printable.escaped(model.toString()), spec, needed.stacked(), needed.context()));
      }
    }
    return kernels.stream().distinct().toList();
  }
}
