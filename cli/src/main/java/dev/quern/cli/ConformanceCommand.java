package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern conformance`: whether a provider keeps SPEC.md. This class names nothing of the suite,
/// which other commands run without; [ConformanceRun] does.
@Command(
    name = "conformance",
    description = "Tests whether a kernel provider keeps the specification (SPEC.md).",
    footer = {
      "",
      "Exit code 0: the provider runs what it declares, as specified. 1: it does not, or can't run here.",
      "Try: quern conformance --provider scalar --tries 5"
    })
final class ConformanceCommand extends ConsoleCommand {
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
          "Generated cases for each rule and format, besides the fixed edge cases. Default: 20.")
  Integer tries;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "What cases are generated from. Default: 1.")
  Long seed;

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

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  ConformanceCommand(Console console) {
    super(console);
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
    try {
      return new ConformanceRun(this).call();
    } catch (NoClassDefFoundError e) {
      throw withoutSuite(e);
    }
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
