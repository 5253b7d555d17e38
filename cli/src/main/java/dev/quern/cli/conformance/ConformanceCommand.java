package dev.quern.cli.conformance;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.UserException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern conformance`: whether a provider keeps SPEC.md. This class names nothing of the suite,
/// which other commands run without; [ConformanceRun] does.
@Command(
    name = "conformance",
    subcommands = {VerifyCommand.class, RegisterCommand.class},
    description = "Tests whether a kernel provider keeps the specification (SPEC.md).",
    footer = {
      "",
      "Exit code 0: the provider runs what it declares, as specified. 1: it does not, or can't run here.",
      "Try: quern conformance --provider scalar --quick"
    })
public final class ConformanceCommand extends ConsoleCommand {
  @Option(
      names = {"-P", "--provider"},
      paramLabel = "NAME",
      description = "The provider to test. May be left out if --jar brings exactly one.")
  String provider;

  @Option(
      names = "--jar",
      paramLabel = "PATH",
      description =
          "A provider's JAR (or one that it needs), besides those on the path; repeatable.")
  List<Path> jars = List.of();

  @Option(
      names = "--operator",
      paramLabel = "NAME",
      split = ",",
      description = "Test these operators only, such as linear,attention.")
  Set<String> operators = new LinkedHashSet<>();

  @Option(
      names = "--tries",
      paramLabel = "N",
      description =
          "Generated cases for each rule and format, besides the fixed edge cases. Default: 20; 2 with --quick; 200 a round with --deep.")
  Integer tries;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "What cases are generated from. Default: 1.")
  Long seed;

  @Option(
      names = "--quick",
      description =
          "Under a minute: fewer generated cases, cases at the sizes of models and long sequences of calls.")
  boolean quick;

  @Option(
      names = "--deep",
      description =
          "For hours: round after round with a seed of its own each. What is done is kept in a file, and the same command goes on after an interruption.")
  boolean deep;

  @Option(
      names = "--hours",
      paramLabel = "H",
      description = "How long --deep runs, interruptions left out. Default: 8.")
  Double hours;

  @Option(
      names = "--state",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description =
          "Where --deep keeps what is done. Default: deep.state in the folder of --report.")
  Path state;

  @Option(
      names = "--models",
      paramLabel = "PATH",
      split = ",",
      description =
          "Test the kernels that these models need, too, at their exact sizes: GGUF files and models' folders, as `quern explain --model` takes them.")
  List<Path> models = List.of();

  @Option(
      names = "--replay",
      paramLabel = "CASE",
      description = "Run this one case, as a failure printed it: RULE/OPERATOR:name=value,...")
  String replay;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write report.html, report.json and junit.xml there.")
  Path report;

  @Option(
      names = "--compare",
      paramLabel = "A,B",
      split = ",",
      description = "Run two providers on the same cases, and show where they differ most.")
  List<String> compare = List.of();

  @Option(
      names = "--claim",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description = "Write a report for the register of conformance (docs/register.md) there.")
  Path claim;

  @Option(
      names = "--waivers",
      paramLabel = "FILE",
      description = "What --claim excuses: rules, each with a reason and an end.")
  Path waivers;

  @Option(
      names = "--sign",
      paramLabel = "KEY",
      description =
          "Sign what --claim writes, with an Ed25519 private key (PEM), in a file FILE.sig.")
  Path sign;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public ConformanceCommand(Console console) {
    super(console);
  }

  Console console() {
    return console;
  }

  @Override
  public Integer call() throws IOException {
    if (!compare.isEmpty() && (compare.size() != 2 || compare.getFirst().equals(compare.get(1)))) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          String.format(
              Locale.ROOT, "--compare=%s, expected two names", String.join(",", compare)));
    }
    if (provider == null && compare.isEmpty() && jars.isEmpty()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "which provider? Expected --provider NAME, --jar PATH or --compare A,B");
    }
    contradiction()
        .ifPresent(words -> {
          throw new CommandLine.ParameterException(spec.commandLine(), words);
        });
    try (ConformanceRun run = new ConformanceRun(this)) {
      return run.call();
    } catch (NoClassDefFoundError e) {
      throw withoutSuite(e);
    }
  }

  /// What was asked for and can't be done together, or alone.
  private Optional<String> contradiction() {
    String one = "expected one of the two";
    Map<String, Boolean> pairs = new LinkedHashMap<>();
    pairs.put("--quick and --deep, " + one, quick && deep);
    pairs.put("--quick and --replay, " + one, quick && replay != null);
    pairs.put("--deep and --replay, " + one, deep && replay != null);
    pairs.put("--models and --replay, " + one, !models.isEmpty() && replay != null);
    pairs.put("--deep and --compare, " + one, deep && !compare.isEmpty());
    pairs.put(
        "--models and --compare without --provider, expected --provider, which the models' kernels are tested of",
        !models.isEmpty() && provider == null && jars.isEmpty());
    pairs.put("--hours without --deep, which it belongs to", hours != null && !deep);
    pairs.put("--state without --deep, which it belongs to", state != null && !deep);
    pairs.put(
        "--claim with --operator, --replay, --deep or --compare, expected the whole suite on one provider",
        claim != null
            && (deep
                || replay != null
                || !operators.isEmpty()
                || !models.isEmpty()
                || !compare.isEmpty()));
    pairs.put("--waivers without --claim, which it belongs to", waivers != null && claim == null);
    pairs.put("--sign without --claim, which it belongs to", sign != null && claim == null);
    pairs.put(
        "--deep without a place for what is done, expected --report DIR or --state FILE",
        deep && state == null && report == null);
    pairs.put(
        String.format(Locale.ROOT, "--hours=%s, expected more than 0, at most 10000", hours),
        hours != null && !(hours > 0 && hours <= 10_000));
    return pairs.entrySet().stream().filter(Map.Entry::getValue).map(Map.Entry::getKey).findFirst();
  }

  /// What to throw where a class of the suite is absent.
  static RuntimeException withoutSuite(NoClassDefFoundError e) {
    if (String.valueOf(e.getMessage()).startsWith("dev/quern/conformance/")) {
      return new UserException(
          "the conformance suite is not on the path: start with the launcher ./quern, or add"
              + " quern-conformance, JUnit and jqwik (and on the module path --add-modules"
              + " dev.quern.conformance)",
          e);
    }
    throw e;
  }
}
