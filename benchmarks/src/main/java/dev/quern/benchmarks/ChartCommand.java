package dev.quern.benchmarks;

import dev.quern.files.NewFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `benchmarks/chart`: bars of what `benchmarks/vs-llama-cpp --csv` has measured.
@Command(
    name = "chart",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Makes an SVG file of results: a chart for each workload and model, a group of bars for each class of CPU.")
final class ChartCommand implements Callable<Integer> {
  private static final List<String> DEFAULT = List.of("prefill512", "decode128");

  @Parameters(
      index = "0",
      paramLabel = "RESULTS.csv",
      description = "Written by benchmarks/vs-llama-cpp --csv.")
  Path results;

  @Parameters(index = "1", paramLabel = "CHART.svg", description = "Is replaced.")
  Path chart;

  @Option(
      names = "--workloads",
      paramLabel = "NAME",
      split = ",",
      description = "In this order. Default: prefill512 and decode128, as far as they are there.")
  List<String> workloads;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      split = ",",
      description = "Names of model files, in this order. Default: all.")
  List<String> models;

  @Option(
      names = "--classes",
      paramLabel = "NAME",
      split = ",",
      description = "Classes of CPUs, in this order. Default: all.")
  List<String> classes;

  /// As the user types it, behind the JVM's options.
  public static void main(String[] args) {
    System.exit(
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            args));
  }

  static int run(PrintWriter out, PrintWriter err, String... args) {
    return Program.run(new ChartCommand(), out, err, args);
  }

  @Override
  public Integer call() throws IOException {
    List<Result> chosen = new ResultsFile(results).read();
    chosen = sorted("--classes", classes, Result::cpuClass, chosen);
    chosen = sorted("--model", models, Result::model, chosen);
    List<String> present = chosen.stream().map(ChartCommand::workload).distinct().toList();
    List<String> names =
        workloads == null ? DEFAULT.stream().filter(present::contains).toList() : workloads;
    if (names.isEmpty()) {
      throw new CompareException(
          String.format(
              Locale.ROOT,
              "%s: results of %s, expected some of %s; or choose with --workloads",
              results,
              present,
              DEFAULT));
    }
    chosen = sorted("--workloads", names, ChartCommand::workload, chosen);
    NewFile.write(chart, ResultsChart.svg(chosen).getBytes(StandardCharsets.UTF_8));
    return 0;
  }

  private static String workload(Result result) {
    return result.workload().name();
  }

  /// Results with one of the names, by these names' order.
  ///
  /// @param names null for all, in the order in which they come
  /// @throws CompareException for a name that no result has
  private List<Result> sorted(
      String option, List<String> names, Function<Result, String> nameOf, List<Result> those) {
    List<String> present = those.stream().map(nameOf).distinct().toList();
    List<Result> sorted = new ArrayList<>();
    for (String name : names == null ? present : names) {
      if (!present.contains(name)) {
        throw new CompareException(
            String.format(
                Locale.ROOT,
                "%s: no '%s' among what the other options leave of %s, expected some of %s",
                option,
                name,
                results,
                present));
      }
      those.stream().filter(r -> nameOf.apply(r).equals(name)).forEach(sorted::add);
    }
    return sorted;
  }
}
