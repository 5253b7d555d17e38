package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Failures;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.UserException;
import dev.quern.cli.dialogue.HistoryFile;
import dev.quern.cli.dialogue.Turns;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.Cancellation;
import dev.quern.llama.ChatSession;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.StopReason;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.ChatMessage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern chat`: a conversation, at a terminal with an editor, else a line a turn. What can't be
/// said is refused in one line, and the conversation goes on without it.
@Command(
    name = "chat",
    description = "Talks with an instruction-tuned model; Ctrl-D or /exit ends it.",
    footer = {
      "",
      "A line that begins with a slash is a command: /clear begins a new conversation, the way on where the context is full; /help lists them all. Ctrl-C stops a reply, and not the conversation. An empty line says nothing.",
      "A line that ends in a backslash goes on in the next, three quotation marks (\"\"\") begin and end a text of several lines, and pasted text is one, at a terminal. From a file or a pipe each line is a turn.",
      "Exit code 0, also where a question was refused and a person could ask another one; 1 where questions come from a file or a pipe and one was refused."
    })
public final class ChatCommand extends ConsoleCommand {
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

  @Option(
      names = "--no-history",
      description =
          "Keep nothing of what is typed in the history: $XDG_STATE_HOME/quern/chat-history, or that in ~/.local/state.")
  boolean noHistory;

  @Mixin SamplingFlags sampling;

  @Mixin GeneratedTextOptions textOptions;

  @Mixin ReportFlags report;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public ChatCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    Console console = report.on(this.console, spec);
    GenerationOptions options =
        report.with(
            textOptions.with(GenerationOptions.of(maxTokens, sampling.options(0.6)), console),
            false,
            spec);
    sampling.tellSeed(console);
    try (LlamaModel model = modelOptions.load(console);
        LlamaSession session = model.newSession()) {
      ChatSession chat = new ChatSession(model, session, Optional.ofNullable(system));
      try (Turns turns = turns(console)) {
        return new Talk(console, model, session, chat, turns, options).toTheEnd();
      }
    }
  }

  private Turns turns(Console console) {
    if (!console.interactive()) {
      return Turns.of(console, Conversation.commands(), Optional.empty());
    }
    console.notes().println("quern: /help lists commands, Ctrl-D ends the conversation");
    Optional<Path> history = noHistory ? Optional.empty() : HistoryFile.open(console);
    return Turns.of(console, Conversation.commands(), history);
  }

  /// A conversation while it lasts.
  private final class Talk implements Conversation.Speaker {
    private final Console console;
    private final LlamaModel model;
    private final LlamaSession session;
    private final ChatSession chat;
    private final Turns turns;
    private final GenerationOptions options;
    private boolean refused;

    Talk(
        Console console,
        LlamaModel model,
        LlamaSession session,
        ChatSession chat,
        Turns turns,
        GenerationOptions options) {
      this.console = console;
      this.model = model;
      this.session = session;
      this.chat = chat;
      this.turns = turns;
      this.options = options;
    }

    /// @return the exit code
    int toTheEnd() throws IOException {
      Conversation conversation = new Conversation(chat, modelOptions.model, console, this);
      boolean more = true;
      while (more) {
        Optional<String> turn = Optional.empty();
        try {
          turn = turns.next();
          more = turn.isPresent() && (turn.get().isBlank() || conversation.take(turn.get()));
        } catch (PromptException e) {
          String way = session.position() > 0 ? "; /clear begins a new conversation" : "";
          refuse("not said: " + e.getMessage() + way);
        } catch (UserException e) {
          boolean command = turn.filter(Conversation::isCommand).isPresent();
          refuse((command ? "" : "not said: ") + e.getMessage());
        }
      }
      return refused && !console.interactive() ? Failures.USER_ERROR : 0;
    }

    private void refuse(String why) {
      refused = true;
      console.err().println("quern: " + why);
    }

    @Override
    public boolean say(ChatMessage message, int again) {
      Cancellation stopped = new Cancellation();
      SamplingOptions how = options.sampling();
      long seed = how.seed() + again;
      GenerationOptions stoppable =
          options.withSampling(how.withSeed(seed)).withCancellation(stopped);
      Reply reply = new Reply();
      turns.during(stopped::cancel, () -> reply.generate(message, stoppable));
      reply.tell(seed);
      return reply.generation.promptTokens() > 0;
    }

    /// A reply, which is heard piece by piece unless it is to be JSON.
    private final class Reply {
      private final PrintStream out = textOptions.stream(console);
      private final StringBuilder text = new StringBuilder();
      private Generation generation;

      void generate(ChatMessage message, GenerationOptions options) {
        generation =
            chat.reply(
                message,
                options,
                piece -> {
                  text.append(piece);
                  if (!report.json) {
                    out.print(piece);
                    out.flush();
                  }
                });
      }

      void tell(long seed) {
        if (report.json) {
          CompletedText whole = new CompletedText(seed, text.toString(), generation);
          console.out().println(Json.line(RunStatistics.withText(model, List.of(whole))));
        } else {
          out.println();
        }
        if (report.verbose) {
          report.tell(model, generation, console);
        }
        if (generation.stop() == StopReason.CANCELLED) {
          console.notes().println("quern: stopped");
        } else if (generation.stop() == StopReason.CONTEXT_FULL) {
          console
              .err()
              .printf(
                  Locale.ROOT,
                  "quern: the context is full (%d positions): /clear begins a new conversation; --context makes room for longer ones%n",
                  model.context());
        }
      }
    }
  }
}
