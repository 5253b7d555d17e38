package dev.quern.cli.conformance;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `quern conformance verify`: whether reports of the register stand. [VerifyRun] does the work,
/// with the suite's classes.
@Command(
    name = "verify",
    description = "Verifies reports of conformance: digest, suite, must-pass list, waivers.",
    footer = {
      "",
      "Exit code 0: all stand. 1: one does not; its line says why.",
      "Try: quern conformance verify docs/register/*.json"
    })
public final class VerifyCommand extends ConsoleCommand {
  @Parameters(paramLabel = "REPORT", arity = "1..*", description = "Reports that --claim wrote.")
  List<Path> reports = List.of();

  @Option(
      names = "--key",
      paramLabel = "PUB",
      description = "Each must be signed by this Ed25519 key (PEM), in a file REPORT.sig.")
  Path key;

  @Option(
      names = "--provider-jar",
      paramLabel = "PATH",
      description =
          "The provider's JAR, which must be the one that was judged, or one that it needs; repeatable.")
  List<Path> jars = List.of();

  @Option(
      names = "--rerun",
      description = "Run the suite again with the report's seed and tries, and compare.")
  boolean rerun;

  public VerifyCommand(Console console) {
    super(console);
  }

  Console console() {
    return console;
  }

  @Override
  public Integer call() throws IOException {
    try {
      return new VerifyRun(this).call();
    } catch (NoClassDefFoundError e) {
      throw ConformanceCommand.withoutSuite(e);
    }
  }
}
