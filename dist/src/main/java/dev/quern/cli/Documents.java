package dev.quern.cli;

import dev.quern.cli.console.Console;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/// Writes what shells and `man` know of the command line: `Documents FOLDER VERSION`. Lies in the
/// command line's package, since its classes are nobody else's.
public final class Documents {
  private static final String NAME = "quern";

  /// picocli's file serves zsh too, if it is sourced. Loaded on demand it is a function, of which
  /// the first call completes as well.
  private static final String ZSH =
      """
      #compdef quern
      %s
      [ "${funcstack[1]}" = _quern ] && _bash_complete -o default -F _complete_quern
      """;

  private Documents() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    CommandLine line = Main.commandLine(new String[0], Console.ofProcess());
    name(line, "Quern " + args[1]);
    File adoc = Files.createDirectories(folder.resolve("adoc")).toFile();
    int code =
        ManPageGenerator.generateManPage(adoc, null, new boolean[0], true, line.getCommandSpec());
    if (code != 0) {
      throw new IOException("man pages: picocli's generator ends with code " + code);
    }
    String bash = AutoComplete.bash(NAME, line);
    write(folder.resolve("completion/bash-completion/completions/quern"), bash);
    write(
        folder.resolve("completion/zsh/site-functions/_quern"),
        String.format(Locale.ROOT, ZSH, bash));
  }

  /// The pages name the product's version and not the JVM that made them.
  private static void name(CommandLine line, String version) {
    line.getCommandSpec().versionProvider(null).version(version);
    line.getSubcommands().values().forEach(command -> name(command, version));
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
