package dev.quern.cli;

import dev.quern.SelectionException;
import dev.quern.cli.report.ReportException;
import dev.quern.files.OutputException;
import dev.quern.llama.LlamaException;
import dev.quern.llama.checkpoint.CheckpointException;
import dev.quern.llama.gguf.GgufException;
import dev.quern.llama.tokenizer.TokenizerException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Entry point: `quern COMMAND ...`. Exit code 0 for success, 1 for a mistake in what was asked for
/// (one line on stderr), 2 for a mistake in the command line, 70 for a defect of Quern (with a
/// stack trace).
@Command(
    name = "quern",
    description = "Runs Llama models on pluggable JVM kernels.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "-Dname=value anywhere goes to the JVM; --provider X is -Dquern.provider=X.",
      "Try: quern run --prompt \"Once upon a time\""
    })
public final class Main implements Runnable {
  private static final List<Class<?>> COMMANDS =
      List.of(
          RunCommand.class,
          ChatCommand.class,
          ExplainCommand.class,
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

  private static final int USER_ERROR = 1;
  private static final int DEFECT = 70; // EX_SOFTWARE of sysexits.h

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  Main() {}

  public static void main(String[] args) {
    // Models speak UTF-8, whatever the terminal's locale says.
    System.exit(
        run(
            args,
            new PrintStream(System.out, true, StandardCharsets.UTF_8),
            new PrintStream(System.err, true, StandardCharsets.UTF_8)));
  }

  /// Runs a command line against the given streams and returns the exit code.
  static int run(String[] args, PrintStream out, PrintStream err) {
    Console console = new Console(out, err);
    CommandLine line = new CommandLine(new Main(), new CommandFactory(console));
    for (Class<?> command : commands(args)) {
      line.addSubcommand(command);
    }
    return line.setOut(new java.io.PrintWriter(out, true, StandardCharsets.UTF_8))
        .setErr(new java.io.PrintWriter(err, true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler((e, arguments) -> reportUsage(e, err))
        .setExecutionExceptionHandler((e, command, parsed) -> report(e, err))
        .execute(args);
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
    err.printf(Locale.ROOT, "quern: %s%n", e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, new java.io.PrintWriter(err, true));
    err.printf(Locale.ROOT, "Try: %s --help%n", command.getCommandSpec().qualifiedName());
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static int report(Exception e, PrintStream err) {
    if (isUserError(e)) {
      err.println("quern: " + e.getMessage());
      return USER_ERROR;
    }
    if (e instanceof IOException) { // the operating system's words, which may be a bare path
      err.println("quern: " + e);
      return USER_ERROR;
    }
    err.println("quern: a defect in Quern; please report it with what follows");
    e.printStackTrace(err);
    return DEFECT;
  }

  private static boolean isUserError(Exception e) {
    return e instanceof LlamaException
        || e instanceof GgufException
        || e instanceof CheckpointException
        || e instanceof TokenizerException
        || e instanceof SelectionException
        || e instanceof ReportException
        || e instanceof OutputException
        || e instanceof UserException;
  }
}
