package dev.quern.cli;

import dev.quern.llama.ChatSession;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern chat`: a conversation, a line a turn.
@Command(
    name = "chat",
    description = "Talks with an instruction-tuned model; end with an empty line or Ctrl-D.")
final class ChatCommand extends ConsoleCommand {
  static final String RAW =
      "Print generated text to a terminal as it is. Default: control characters are shown and not obeyed.";

  @Mixin ModelOptions modelOptions;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What the model is told about its part.")
  String system;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "Most tokens of a reply. Default: ${DEFAULT-VALUE}.")
  int maxTokens = 512;

  @Mixin SamplingFlags sampling;

  ChatCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() {
    GenerationOptions options = new GenerationOptions(maxTokens, sampling.options(0.6), Set.of());
    try (LlamaModel model = modelOptions.load(console);
        LlamaSession session = model.newSession()) {
      ChatSession chat = new ChatSession(model, session, Optional.ofNullable(system));
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line; (line = ask(in)) != null && !line.isBlank(); ) {
        Generation reply =
            chat.reply(
                line,
                options,
                text -> {
                  console.out().print(text);
                  console.out().flush();
                });
        console.out().println();
        console.err().println(Metrics.of(model, reply).line());
      }
    } catch (IOException e) {
      throw new UserException("the input can't be read: " + e.getMessage(), e);
    }
    return 0;
  }

  private String ask(BufferedReader in) throws IOException {
    if (console.interactive()) {
      console.out().print("> ");
      console.out().flush();
    }
    return in.readLine();
  }
}
