package dev.quern.cli;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `quern tokenize`: the tokens of a text. Of the model only the vocabulary is read, so a file
/// without weights will do.
@Command(name = "tokenize", description = "Shows the tokens of a text.")
final class TokenizeCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  @Option(names = "--ids", description = "Print a JSON array of ids.")
  boolean ids;

  @Option(
      names = "--special",
      description =
          "Begin with the start token, and read special tokens such as <|eot_id|> as tokens, not as text.")
  boolean special;

  @Parameters(paramLabel = "TEXT", description = "The text.")
  String text;

  TokenizeCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer =
        modelOptions.model == null
            ? LlamaModel.loadDemoTokenizer()
            : LlamaModel.loadTokenizer(modelOptions.model);
    int[] tokens = special ? tokenizer.encodePrompt(text, true) : tokenizer.encode(text, false);
    if (ids) {
      console.out().println(Arrays.toString(tokens).replace(" ", ""));
    } else {
      for (int id : tokens) {
        console.out().printf(Locale.ROOT, "%7d  %s%n", id, Quote.quote(tokenizer.text(id)));
      }
    }
    return 0;
  }
}
