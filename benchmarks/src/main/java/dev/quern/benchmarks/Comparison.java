package dev.quern.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/// Runs both engines alternately, Quern first, each run a process of its own.
///
/// @param ours Quern
/// @param theirs llama.cpp
/// @param pairs how often both run
/// @param busyCore the core that [Workload.Kind#BUSY] takes away
/// @param progress hears a line after each run
record Comparison(Engine ours, Engine theirs, int pairs, int busyCore, Consumer<String> progress) {

  Pairs compare(Workload workload, Path model) throws IOException, InterruptedException {
    List<Double> our = new ArrayList<>();
    List<Double> their = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      our.add(measure(ours, workload, model));
      their.add(measure(theirs, workload, model));
      progress.accept(
          String.format(
              Locale.ROOT,
              "%s %s: pair %d of %d: %.4g and %.4g %s",
              workload.name(),
              model.getFileName(),
              i + 1,
              pairs,
              our.getLast(),
              their.getLast(),
              workload.kind().unit()));
    }
    return new Pairs(workload, model.getFileName().toString(), our, their);
  }

  private double measure(Engine engine, Workload workload, Path model)
      throws IOException, InterruptedException {
    return switch (workload.kind()) {
      case SPEED -> engine.tokensPerSecond(workload, model);
      case BUSY -> {
        double quiet = engine.tokensPerSecond(workload, model);
        try (BusyCore _ = new BusyCore(busyCore)) {
          yield engine.tokensPerSecond(workload, model) / quiet;
        }
      }
      case MEMORY -> Child.peakResidentBytes(runCommand(engine, workload, model)) / 0x1p20;
      case COLD -> Child.run(runCommand(engine, workload, model)).seconds();
    };
  }

  /// The command that a row of the table stands for.
  List<String> command(Engine engine, Workload workload, Path model) throws IOException {
    return switch (workload.kind()) {
      case SPEED, BUSY -> engine.benchCommand(workload, model);
      case MEMORY, COLD -> runCommand(engine, workload, model);
    };
  }

  private static List<String> runCommand(Engine engine, Workload workload, Path model)
      throws IOException {
    String prompt = PromptText.ofTokens(model, workload.promptTokens());
    return engine.runCommand(model, prompt, workload.genTokens());
  }
}
