package dev.quern.cli;

import dev.quern.cli.accuracy.AccuracyCommand;
import dev.quern.cli.accuracy.PerplexityCommand;
import dev.quern.cli.accuracy.QuantizeCommand;
import dev.quern.cli.bench.BenchCommand;
import dev.quern.cli.bench.SynthesizeCommand;
import dev.quern.cli.conformance.ConformanceCommand;
import dev.quern.cli.conformance.SelfcheckCommand;
import dev.quern.cli.console.Arguments;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.Failures;
import dev.quern.cli.console.Restart;
import dev.quern.cli.console.StandardOutput;
import dev.quern.cli.console.Version;
import dev.quern.cli.model.ExplainCommand;
import dev.quern.cli.model.FormatsCommand;
import dev.quern.cli.model.InspectCommand;
import dev.quern.cli.model.LogitsCommand;
import dev.quern.cli.model.WarmCommand;
import dev.quern.cli.serve.ServeCommand;
import dev.quern.cli.text.ChatCommand;
import dev.quern.cli.text.RunCommand;
import dev.quern.cli.text.TokenizeCommand;
import dev.quern.llama.text.Printable;
import dev.quern.text.Nearest;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Entry point: `quern COMMAND ...`. Exit code 0 for success, 1 for a mistake in what was asked for
/// (one line on stderr), 2 for a mistake in the command line, others in [Failures].
@Command(
    name = "quern",
    description = "Runs Llama models on pluggable JVM kernels.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "-Dquern.NAME=VALUE anywhere is a setting, such as -Dquern.log=info; --provider X is -Dquern.provider=X. The JVM's own properties go before the command: quern -Dname=value COMMAND.",
      "Try: quern run --prompt \"Once upon a time\""
    })
public final class Main implements Runnable {
  private static final List<Class<?>> COMMANDS =
      List.of(
          RunCommand.class,
          ChatCommand.class,
          ServeCommand.class,
          ExplainCommand.class,
          FormatsCommand.class,
          InspectCommand.class,
          TokenizeCommand.class,
          LogitsCommand.class,
          ConformanceCommand.class,
          BenchCommand.class,
          SynthesizeCommand.class,
          QuantizeCommand.class,
          PerplexityCommand.class,
          AccuracyCommand.class,
          SelfcheckCommand.class,
          WarmCommand.class);

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  @CommandLine.Option(
      names = "-D",
      mapFallbackValue = "",
      scope = CommandLine.ScopeType.INHERIT,
      hidden = true) // its synopsis would read -D=<String=String>; the footer says it
  Map<String, String> properties = Map.of();

  Main() {}

  public static void main(String[] args) {
    System.exit(run(args, Console.ofProcess()));
  }

  /// Runs a command line and returns the exit code.
  static int run(String[] args, Console console) {
    try {
      Arguments.requireWhole(args);
      int code = commandLine(args, console).execute(args);
      console.out().flush();
      return code;
    } catch (Throwable t) { // reported: this is the last that could
      return Failures.report(t, console.err());
    }
  }

  /// All of it; where the first word is a command, that command alone.
  static CommandLine commandLine(String[] args, Console console) {
    Main main = new Main();
    CommandLine line = new CommandLine(main, new CommandFactory(console));
    for (Class<?> command : commands(args)) {
      line.addSubcommand(command);
    }
    return line.addSubcommand(new CommandLine.HelpCommand())
        .setOut(new PrintWriter(console.rawOut(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
        // What follows an option is its value, whatever it looks like: @file, -n, -Dname=value.
        .setExpandAtFiles(false)
        .setAllowOptionsAsOptionParameters(true)
        .setAllowSubcommandsAsOptionParameters(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setExecutionStrategy(parsed -> main.execute(parsed, console))
        .setParameterExceptionHandler((e, arguments) -> reportUsage(e, console.err()))
        .setExecutionExceptionHandler((e, command, parsed) ->
            Restart.isDue(e)
                ? Restart.withAllProviders(e, args, console)
                : Failures.report(e, console.err()));
  }

  /// Sets the properties first: this is the application that they are for, and nothing has read one
  /// yet.
  private int execute(CommandLine.ParseResult parsed, Console console) {
    properties.forEach((name, value) -> {
      if (!name.startsWith("quern.")) {
        throw new CommandLine.ParameterException(
            parsed.asCommandLineList().getLast(),
            String.format(
                Locale.ROOT,
                "-D%s: a property of the JVM's goes before the command: quern -D%s%s %s ...",
                name,
                name,
                value.isEmpty() ? "" : "=" + value,
                parsed.hasSubcommand() ? parsed.subcommand().commandSpec().name() : "COMMAND"));
      }
    });
    properties.forEach(System::setProperty);
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (StandardOutput.Failure e) { // of help and versions, for which picocli has no handler
      return Failures.report(e, console.err());
    }
  }

  /// The command that the first word names, or all: picocli reads every command's options by
  /// reflection, a tenth of a second in a cold JVM, and help and suggestions alone need all.
  private static List<Class<?>> commands(String[] args) {
    List<Class<?>> named =
        COMMANDS.stream().filter(c -> args.length > 0 && nameOf(c).equals(args[0])).toList();
    return named.isEmpty() ? COMMANDS : named;
  }

  private static String nameOf(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
  }

  /// A mistake in the command line: one line, and where to read on.
  private static int reportUsage(CommandLine.ParameterException e, PrintStream err) {
    CommandLine command = e.getCommandLine();
    String message =
        e instanceof CommandLine.UnmatchedArgumentException u
            ? unmatched(u.getUnmatched().getFirst(), command)
            : Arguments.shown(e.getMessage());
    err.println("quern: " + message);
    err.printf(Locale.ROOT, "Try: %s --help%n", command.getCommandSpec().qualifiedName());
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static String unmatched(String word, CommandLine command) {
    if (word.startsWith("-")) {
      String name = word.split("=", 2)[0];
      return "unknown option " + Printable.quoted(name) + hint(name, command);
    }
    return command.getParent() == null
        ? "unknown command "
            + Printable.quoted(word)
            + Nearest.hint(word, command.getSubcommands().keySet())
        : "unexpected word " + Printable.quoted(word);
  }

  /// Of two letters, any two are alike.
  private static String hint(String option, CommandLine command) {
    return option.length() <= 2
        ? ""
        : Nearest.hint(option, command.getCommandSpec().optionsMap().keySet());
  }
}
