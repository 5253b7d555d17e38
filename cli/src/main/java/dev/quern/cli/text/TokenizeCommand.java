package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `quern tokenize`: the tokens of a text. Of the model only the vocabulary is read, so a file
/// without weights will do.
@Command(name = "tokenize", description = "Shows the tokens of a text.")
public final class TokenizeCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  @Option(names = "--ids", description = "Print a JSON array of ids.")
  boolean ids;

  @Option(
      names = "--special",
      description =
          "Begin with the start token, and read special tokens such as <|eot_id|> as tokens, not as text.")
  boolean special;

  @Parameters(
      paramLabel = "TEXT",
      arity = "0..1",
      description = "The text; behind -- where it begins with a dash.")
  String given;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = PromptOptions.FILE)
  Path file;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public TokenizeCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    final String text = PromptOptions.text(spec, "TEXT", given, file, console);
    Tokenizer tokenizer = modelOptions.loadTokenizer();
    int[] tokens = special ? tokenizer.encodePrompt(text, true) : tokenizer.encode(text, false);
    if (ids) {
      console.out().println(Arrays.toString(tokens).replace(" ", ""));
    } else {
      for (int id : tokens) {
        String entry = tokenizer.text(id);
        console.out().printf(Locale.ROOT, "%7d  %s%n", id, Printable.quoted(entry, entry.length()));
      }
    }
    return 0;
  }
}
