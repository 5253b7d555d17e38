package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Failures;
import dev.quern.cli.console.TextInput;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.Metrics;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.ChatSession;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.StopReason;
import dev.quern.llama.error.PromptException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern chat`: a conversation, a line a turn. What can't be said is refused in one line, and the
/// conversation goes on without it.
@Command(
    name = "chat",
    description = "Talks with an instruction-tuned model; end with an empty line or Ctrl-D.",
    footer = {
      "",
      "A line that is /clear begins a new conversation, with the same --system: the way on where the context is full.",
      "Exit code 0, also where a question was refused and a person could ask another one; 1 where questions come from a file or a pipe and one was refused."
    })
public final class ChatCommand extends ConsoleCommand {
  private static final String CLEAR = "/clear";

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

  @Mixin GeneratedTextOptions textOptions;

  private boolean refused;

  public ChatCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options =
        textOptions.with(GenerationOptions.of(maxTokens, sampling.options(0.6)), console);
    try (LlamaModel model = modelOptions.load(console);
        LlamaSession session = model.newSession()) {
      ChatSession chat = new ChatSession(model, session, Optional.ofNullable(system));
      TextInput in = TextInput.standard(console);
      while (true) {
        try {
          Optional<String> line = ask(in);
          if (line.isEmpty() || line.get().isBlank()) {
            return refused && !console.interactive() ? Failures.USER_ERROR : 0;
          }
          if (line.get().equals(CLEAR)) {
            chat.restart();
            console.err().println("quern: a new conversation");
          } else {
            answer(model, chat, line.get(), options);
          }
        } catch (UserException e) {
          refuse(e.getMessage());
        } catch (PromptException e) {
          String way = "; " + CLEAR + " begins a new conversation";
          refuse(e.getMessage() + (session.position() > 0 ? way : ""));
        }
      }
    }
  }

  private void answer(LlamaModel model, ChatSession chat, String line, GenerationOptions options) {
    PrintStream out = textOptions.stream(console);
    Generation reply =
        chat.reply(
            line,
            options,
            text -> {
              out.print(text);
              out.flush();
            });
    out.println();
    console.err().println(Metrics.of(model, reply).line());
    if (reply.stop() == StopReason.CONTEXT_FULL) {
      console
          .err()
          .printf(
              Locale.ROOT,
              "quern: the context is full (%d positions): %s begins a new conversation; --context makes room for longer ones%n",
              model.context(),
              CLEAR);
    }
  }

  private void refuse(String why) {
    refused = true;
    console.err().println("quern: not said: " + why);
  }

  private Optional<String> ask(TextInput in) throws IOException {
    if (console.interactive()) {
      console.out().print("> ");
      console.out().flush();
    }
    return in.line();
  }
}
