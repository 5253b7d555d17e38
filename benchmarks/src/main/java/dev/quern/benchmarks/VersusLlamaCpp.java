package dev.quern.benchmarks;

import dev.quern.measure.Environment;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `benchmarks/vs-llama-cpp`: both engines alternately over the same files, and a table of ratios.
@Command(
    name = "vs-llama-cpp",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Compares Quern with llama.cpp, in alternating runs over the same model files.",
    footer = {
      "",
      "Environment:",
      "  LLAMA_CPP         words before llama-bench and llama-completion, split at spaces; none: PATH",
      "  LLAMA_CPP_MODELS  the models' folder as these tools see it, where that differs (containers)",
      "  QUERN_JAVA_OPTS   JVM options for Quern, such as -XX:UseAVX=2",
      "Model files: ./quern synthesize --shape llama-3.2-1b --format Q4_0 --out FILE"
    })
final class VersusLlamaCpp implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", arity = "1..*", description = "GGUF files.")
  List<Path> models;

  @Option(
      names = "--workloads",
      paramLabel = "NAME",
      split = ",",
      description =
          "prefill512, prefill64, decode128, decode4096, busy, memory, cold. Default: all.")
  List<String> workloads = Workload.all().stream().map(Workload::name).toList();

  @Option(
      names = "--pairs",
      paramLabel = "N",
      description = "Alternating runs. Default: ${DEFAULT-VALUE}.")
  int pairs = 5;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description =
          "Repetitions within a run, of which the median counts. Default: ${DEFAULT-VALUE}.")
  int repetitions = 3;

  @Option(names = "--quick", description = "Two pairs of one repetition: a first look, no result.")
  boolean quick;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads of both. Default: ${DEFAULT-VALUE}.")
  int threads = 2;

  @Option(
      names = "--busy-core",
      paramLabel = "N",
      description = "The core that 'busy' takes away. Default: ${DEFAULT-VALUE}.")
  int busyCore = 1;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description =
          "Adds a line to this file after each comparison; benchmarks/chart makes charts of it.")
  Optional<Path> csv;

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description =
          "What this kind of CPU, or the part of it that is used, is called in the file: avx2, avx512-vnni.")
  String cpuClass = "";

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  private final Map<String, String> environment;
  private final String launcher;

  /// @param environment environment variables
  /// @param launcher path of `./quern`
  VersusLlamaCpp(Map<String, String> environment, String launcher) {
    this.environment = environment;
    this.launcher = launcher;
  }

  /// The first argument is the launcher's path, which the script adds.
  public static void main(String[] args) {
    // A comparison that is interrupted leaves no engine running, and no core busy.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() ->
                ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly)));
    String[] rest = Arrays.copyOfRange(args, 1, args.length);
    System.exit(
        run(
            new VersusLlamaCpp(System.getenv(), args[0]),
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            rest));
  }

  static int run(VersusLlamaCpp command, PrintWriter out, PrintWriter err, String... args) {
    return Program.run(command, out, err, args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    List<Workload> chosen = workloads.stream().map(this::workload).toList();
    for (Path model : models) {
      if (!Files.isRegularFile(model)) {
        throw new CompareException(model + ": no such file, expected a GGUF file");
      }
    }
    int runs = quick ? 2 : pairs;
    int inner = quick ? 1 : repetitions;
    QuernEngine quern = new QuernEngine(launcher, environment, threads, inner);
    LlamaCppEngine llamaCpp =
        new LlamaCppEngine(
            words("LLAMA_CPP"),
            Optional.ofNullable(environment.get("LLAMA_CPP_MODELS")),
            threads,
            inner);
    Comparison comparison = new Comparison(quern, llamaCpp, runs, busyCore, err::println);
    Environment before = Environment.current();
    Optional<ResultsFile> file = csv.map(ResultsFile::new);
    if (file.isPresent()) {
      file.get().prepare();
    }
    List<String> rows = new ArrayList<>();
    List<String> commands = new ArrayList<>();
    for (Path model : models) {
      for (Workload workload : chosen) {
        Pairs measured = comparison.compare(workload, model);
        rows.add(measured.row());
        if (file.isPresent()) {
          file.get()
              .append(
                  measured.result(
                      before.cpu(), cpuClass, quern.provider(workload, model), llamaCpp.build()));
        }
        for (Engine engine : List.of(quern, llamaCpp)) {
          commands.add(
              workload.name() + ": " + Commands.text(comparison.command(engine, workload, model)));
        }
      }
    }
    out.print(Pairs.HEAD);
    rows.forEach(out::println);
    out.printf(
        Locale.ROOT,
        "%nMedians [min .. max] of %d alternating runs of %d repetitions on %d threads; the last column is of the runs' ratios.%n",
        runs,
        inner,
        threads);
    out.printf(
        Locale.ROOT,
        "%s, %d processors, load average %.2f before and %.2f after; llama.cpp build %s, %s; QUERN_JAVA_OPTS='%s'.%n%n",
        before.cpu(),
        before.processors(),
        before.loadAverage(),
        Environment.current().loadAverage(),
        llamaCpp.build().number(),
        llamaCpp.build().variant(),
        environment.getOrDefault("QUERN_JAVA_OPTS", ""));
    commands.forEach(command -> out.println("    " + command));
    return 0;
  }

  private Workload workload(String name) {
    return Workload.byName(name)
        .orElseThrow(() ->
            new CommandLine.ParameterException(
                spec.commandLine(),
                String.format(
                    Locale.ROOT,
                    "--workloads: %s, expected some of %s",
                    name,
                    Workload.all().stream().map(Workload::name).toList())));
  }

  private List<String> words(String variable) {
    String value = environment.getOrDefault(variable, "").strip();
    return value.isEmpty() ? List.of() : List.of(value.split("\\s+"));
  }
}
