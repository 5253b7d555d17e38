package dev.quern.cli.bench;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.UserException;
import dev.quern.measure.BenchJson;
import dev.quern.measure.BenchPlan;
import dev.quern.measure.BenchResult;
import dev.quern.measure.BenchText;
import dev.quern.measure.DepthText;
import dev.quern.measure.report.DepthPage;
import dev.quern.measure.report.Protocol;
import dev.quern.measure.report.ProtocolPage;
import dev.quern.measure.report.Report;
import dev.quern.measure.report.ReportFile;
import dev.quern.measure.report.ReportText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern bench`: how fast a model runs, as llama-bench measures it, or by a published protocol.
@Command(
    name = "bench",
    description =
        "Measures prompt processing and decoding. A warm-up runs first and does not count; tokens are random, and both tests begin after --depth tokens of context. With --protocol: a published experiment, over several models and providers.")
public final class BenchCommand extends ConsoleCommand {
  /// What a protocol decides, and a user then can't.
  private static final List<String> DECIDED =
      List.of(
          "--prompt-tokens",
          "--gen-tokens",
          "--depth",
          "--fill",
          "--after-prompt",
          "--sequences",
          "--full-context",
          "--warmup",
          "--read-bandwidth",
          "--profile",
          "--context");

  @Mixin BenchModels models;

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
      paramLabel = "N[,N...]",
      split = ",",
      description =
          "Tokens of context before both; of several depths, one after the other. Default: 0.")
  List<Integer> depths = List.of(0);

  @Option(
      names = "--fill",
      paramLabel = "KIND",
      description =
          "What the context before both is: prompt (random tokens, which are run), or noise (random keys and values, which costs no time). Default: prompt.")
  BenchPlan.Fill fill = BenchPlan.Fill.PROMPT;

  @Option(
      names = "--after-prompt",
      description =
          "Decode after the prompt, as in a conversation, and not after the --depth that the prompt began at.")
  boolean afterPrompt;

  @Option(
      names = "--sequences",
      paramLabel = "N[,N...]",
      split = ",",
      description =
          "Also measure so many sequences that decode at once, each --depth tokens deep, by an engine's steps; of several numbers, one after the other.")
  List<Integer> sequences = List.of();

  @Option(
      names = "--full-context",
      description =
          "Fill the KV cache when all is timed, so that peak memory is that of a full context.")
  boolean fullContext;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description =
          "How often both are measured; with --protocol, in how many runs. Default: ${DEFAULT-VALUE}.")
  int repetitions = 3;

  @Option(
      names = "--warmup",
      paramLabel = "SECONDS",
      description =
          "How long repetitions go on that don't count, one at least; 0: none. Default: ${DEFAULT-VALUE}.")
  double warmupSeconds = 5;

  @Option(
      names = "--read-bandwidth",
      description =
          "Also measure a plain read loop over memory that lies as the weights do, to compare decoding with.")
  boolean readBandwidth;

  @Option(
      names = "--profile",
      description = "Also count the time that decoding spends in each operator, and outside all.")
  boolean profile;

  @Option(
      names = "--protocol",
      paramLabel = "NAME",
      description =
          "executorch: one warm-up, a prompt of 64 tokens, 128 in all, peak memory at a context of 2,048; every model on every provider, alternating, each run in a JVM of its own.")
  Protocol protocol;

  @Option(
      names = "--from",
      paramLabel = "FILE",
      description =
          "With --protocol: measure nothing, report on what --json wrote, here or on another machine; may be given several times.")
  List<Path> from = new ArrayList<>();

  @Option(
      names = "--json",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description = "Write the result as JSON.")
  Path json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description =
          "Write a page with charts: of a protocol's report, or of what a token costs at several depths.")
  Path html;

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description = "Write the charts alone.")
  Path svg;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public BenchCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    return protocol == null ? measure() : report();
  }

  private int measure() throws IOException {
    models
        .several()
        .ifPresent(option -> {
          throw usage(
              String.format(Locale.ROOT, "%s: several, expected one, or --protocol", option));
        });
    if (!from.isEmpty()) {
      throw usage("--from: expected --protocol too: it reports on files of a protocol");
    }
    List<BenchPlan> plans = plans();
    if (readBandwidth && models.models.isEmpty()) {
      throw usage("--read-bandwidth reads as much as a file's weights: add --model FILE");
    }
    boolean charts = html != null || svg != null;
    if (charts && plans.size() == 1) {
      throw usage(
          "--html and --svg: one depth, expected several, or --protocol, to draw charts of");
    }
    requireWritable();
    List<BenchResult> results = new ModelBench(models, readBandwidth, profile, console).run(plans);
    console.out().print(BenchText.of(results.getLast()));
    if (results.size() > 1) {
      console.out().print(DepthText.of(results));
    }
    jsonFile().write(Json.bytes(BenchJson.of(results)));
    htmlFile().write(() -> DepthPage.html(results, commandLine()));
    svgFile().write(() -> DepthPage.svg(results));
    return 0;
  }

  private int report() throws IOException {
    for (String option : DECIDED) {
      if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw usage(
            String.format(
                Locale.ROOT, "%s: the protocol decides it, expected no such option", option));
      }
    }
    if (repetitions < 1) {
      throw usage(
          String.format(Locale.ROOT, "--repetitions: %d, expected at least 1", repetitions));
    }
    if (from.isEmpty() == models.models.isEmpty()) {
      throw usage(
          from.isEmpty()
              ? "--protocol: no model, expected --model PATH (several, to compare), or --from FILE"
              : "--from: reports on files and measures nothing, expected no --model");
    }
    if (!from.isEmpty() && json != null) {
      throw usage("--from: its files are the JSON, expected no --json");
    }
    requireWritable();
    List<ReportFile> files = from.isEmpty() ? List.of(measureByProtocol()) : read();
    Report report = Report.of(files);
    console.out().print(ReportText.of(report));
    htmlFile().write(() -> ProtocolPage.html(report));
    svgFile().write(() -> ProtocolPage.svg(report));
    return 0;
  }

  private ReportFile measureByProtocol() throws IOException {
    BenchLauncher launcher = BenchLauncher.current();
    ReportFile file =
        new ProtocolBench(models, repetitions, launcher::run, console).run(commandLine());
    jsonFile().write(file.bytes());
    return file;
  }

  private List<ReportFile> read() throws IOException {
    List<ReportFile> files = new ArrayList<>();
    for (Path file : from) {
      if (!Files.isRegularFile(file)) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "--from: %s: no such file, expected one that bench --protocol --json wrote",
                file));
      }
      files.add(ReportFile.read(file));
    }
    return files;
  }

  private List<BenchPlan> plans() {
    BenchPlan.Order order = afterPrompt ? BenchPlan.Order.AFTER_PROMPT : BenchPlan.Order.APART;
    try {
      return depths.stream()
          .sorted()
          .distinct()
          .map(depth ->
              new BenchPlan(
                  promptTokens,
                  genTokens,
                  depth,
                  fill,
                  order,
                  repetitions,
                  warmupSeconds,
                  sequences.stream().sorted().distinct().toList(),
                  fullContext))
          .toList();
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /// The words that the user gave, as a shell takes them.
  private String commandLine() {
    StringBuilder line = new StringBuilder("./quern");
    for (String word : spec.root().commandLine().getParseResult().originalArgs()) {
      line.append(' ')
          .append(word.matches("[\\w./,:=?@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'");
    }
    return line.toString();
  }

  private OutputFile jsonFile() {
    return new OutputFile("--json", json);
  }

  private OutputFile htmlFile() {
    return new OutputFile("--html", html);
  }

  private OutputFile svgFile() {
    return new OutputFile("--svg", svg);
  }

  /// Before long work, what would fail after it.
  private void requireWritable() throws IOException {
    OutputFile.check(
        List.of(jsonFile(), htmlFile(), svgFile()),
        Stream.concat(models.models.stream(), from.stream()).toList());
    if (html == null && svg == null) {
      return;
    }
    if (!ProtocolPage.canDraw()) {
      throw new UserException(
          "--html and --svg: no JFreeChart on the module path, expected it: use ./quern bench");
    }
    Optional<String> fonts = ProtocolPage.missingFonts();
    if (fonts.isPresent()) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--html and --svg: Java finds no fonts (%s), expected one: install fontconfig and a font, such as Debian's fonts-dejavu-core",
              fonts.get()));
    }
  }

  private CommandLine.ParameterException usage(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }
}
