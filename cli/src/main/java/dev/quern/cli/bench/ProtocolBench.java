package dev.quern.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.KernelOptions;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.UserException;
import dev.quern.files.TempFolder;
import dev.quern.measure.report.Protocol;
import dev.quern.measure.report.ReportFile;
import dev.quern.measure.report.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Runs a protocol over models and providers: each run in a JVM of its own, alternating, so that a
/// machine that gets slower or faster does so for all of them.
///
/// @param options what runs, on what
/// @param repetitions runs of each
/// @param jvm runs a command, see [BenchLauncher#run]
record ProtocolBench(BenchModels options, int repetitions, Jvm jvm, Console console) {
  /// Runs a command of Quern to its end.
  @FunctionalInterface
  interface Jvm {
    /// @param what what messages call it
    void run(List<String> words, String what) throws IOException;
  }

  /// @param model empty for the demo
  /// @param provider empty for the system property's
  private record Case(Optional<Path> model, String name, Optional<String> provider, String asked) {
    String label() {
      return Run.label(name, asked);
    }
  }

  /// Measures.
  ///
  /// @param command as the user gave it
  /// @throws UserException if a run fails
  /// @throws dev.quern.measure.report.ReportException if it is not known what computed one
  ReportFile run(String command) throws IOException {
    List<Case> cases = cases();
    List<Run> runs = new ArrayList<>();
    int all = cases.size() * repetitions;
    for (int repetition = 1; repetition <= repetitions; repetition++) {
      for (Case one : cases) {
        String what = String.format(Locale.ROOT, "run %d of %d", runs.size() + 1, all);
        console.err().println(String.format(Locale.ROOT, "%s: %s", what, one.label()));
        runs.add(run(one, what));
      }
    }
    return new ReportFile("this call", command, runs);
  }

  private Run run(Case one, String what) throws IOException {
    try (TempFolder folder = TempFolder.create("quern-bench")) {
      Path json = folder.file("run.json");
      jvm.run(words(one, json), String.format(Locale.ROOT, "%s (%s)", what, one.label()));
      ObjectMapper mapper = new ObjectMapper();
      ObjectNode run = mapper.createObjectNode().put("label", one.label());
      run.put("model", one.model().map(Path::toString).orElse("demo")).put("asked", one.asked());
      run.set("result", mapper.readTree(json.toFile()));
      return Run.read(run, what);
    }
  }

  private List<String> words(Case one, Path json) {
    List<String> words = new ArrayList<>(List.of("bench"));
    one.model().ifPresent(m -> words.addAll(List.of("--model", m.toString())));
    one.provider().ifPresent(p -> words.addAll(List.of("--provider", p)));
    words.addAll(options.words());
    words.addAll(Protocol.benchOptions());
    words.addAll(List.of("--json", json.toString()));
    return words;
  }

  private List<Case> cases() {
    List<Optional<Path>> models =
        options.models.isEmpty()
            ? List.of(Optional.empty())
            : options.models.stream().map(Optional::of).toList();
    List<Optional<String>> providers =
        options.providers.isEmpty()
            ? List.of(Optional.empty())
            : options.providers.stream().map(Optional::of).toList();
    String inherited =
        KernelOptions.fromSystem().properties().getOrDefault("quern.provider", "auto");
    List<Case> cases = new ArrayList<>();
    for (Optional<Path> model : models) {
      for (Optional<String> provider : providers) {
        cases.add(
            new Case(model, name(model), provider, provider.orElse(inherited).replace(" ", "")));
      }
    }
    List<String> labels = cases.stream().map(Case::label).toList();
    labels.stream()
        .filter(l -> labels.indexOf(l) != labels.lastIndexOf(l))
        .findFirst()
        .ifPresent(l -> {
          throw new UserException(
              String.format(Locale.ROOT, "--protocol: %s twice, expected different runs", l));
        });
    return cases;
  }

  /// The file's name; the path where another model's file has the same.
  private String name(Optional<Path> model) {
    if (model.isEmpty()) {
      return "demo";
    }
    Path file = model.get().toAbsolutePath().normalize().getFileName();
    if (file == null) {
      return model.get().toString();
    }
    long same = options.models.stream().filter(m -> m.normalize().endsWith(file)).count();
    return same > 1 ? model.get().toString() : file.toString();
  }
}
