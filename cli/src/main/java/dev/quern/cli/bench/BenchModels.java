package dev.quern.cli.bench;

import dev.quern.cli.model.ModelOptions;
import dev.quern.cli.model.RunningOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options of `quern bench` that say what runs, on what: several of each for a protocol.
final class BenchModels extends RunningOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description = ModelOptions.MODEL + " With --protocol it may be given several times.")
  List<Path> models = new ArrayList<>();

  @Option(
      names = {"-P", "--provider"},
      paramLabel = "LIST",
      description = ModelOptions.PROVIDER + " With --protocol it may be given several times.")
  List<String> providers = new ArrayList<>();

  BenchModels() {}

  /// The one model; empty for the demo.
  Optional<Path> model() {
    return models.stream().findFirst();
  }

  /// The one list of providers; empty for the system property's.
  Optional<String> provider() {
    return providers.stream().findFirst();
  }

  /// The option that is there several times; empty if none is.
  Optional<String> several() {
    return models.size() > 1
        ? Optional.of("--model")
        : providers.size() > 1 ? Optional.of("--provider") : Optional.empty();
  }
}
