package dev.quern.cli.conformance;

import dev.quern.KernelOptions;
import dev.quern.Selfcheck;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern selfcheck`: whether kernels are still right when C2 has compiled them. This class names
/// nothing of the suite, which `--clear` runs without; [SelfcheckRun] does.
@Command(
    name = "selfcheck",
    description =
        "Calls every kernel of the available providers until the JVM has compiled it, and compares with known answers. A variant that is wrong no longer runs on this JVM and CPU.",
    footer = {
      "",
      "Exit code 0: all that was checked is right. 1: something was wrong, or nothing could be checked.",
      "The results are kept in the file of -Dquern.selfcheck.file, else in quern/selfcheck of the cache folder."
    })
public final class SelfcheckCommand extends ConsoleCommand {
  @Option(
      names = {"-P", "--provider"},
      paramLabel = "NAME",
      split = ",",
      description = "Check these providers only. Default: all that are available.")
  Set<String> providers = new LinkedHashSet<>();

  @Option(names = "--clear", description = "Forget all results, and check nothing.")
  boolean clear;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public SelfcheckCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    KernelOptions options = KernelOptions.fromSystem();
    if (clear) {
      if (!providers.isEmpty()) {
        throw new CommandLine.ParameterException(
            spec.commandLine(), "--clear forgets all results, expected no --provider beside it");
      }
      boolean cleared = Selfcheck.clear(options);
      console
          .err()
          .printf(
              Locale.ROOT,
              "quern: %s %s%n",
              cleared ? "deleted" : "no results in",
              Selfcheck.file(options));
      return 0;
    }
    try {
      return new SelfcheckRun(console, options, providers).call();
    } catch (NoClassDefFoundError e) {
      throw ConformanceCommand.withoutSuite(e);
    }
  }
}
