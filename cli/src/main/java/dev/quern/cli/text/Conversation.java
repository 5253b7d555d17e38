package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.Failures;
import dev.quern.cli.console.TextInput;
import dev.quern.cli.console.UserException;
import dev.quern.cli.dialogue.Commands;
import dev.quern.llama.ChatSession;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.tokenizer.ChatMessage;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What turns of a chat do: they say something to the model, or are commands.
final class Conversation {
  /// What a turn that begins with a slash may be, and what `/help` says of it.
  enum Command {
    CLEAR(
        "", "a new conversation, with the same system text: the way on where the context is full"),
    REGEN("", "the last question once more, with another seed"),
    READ("FILE", "put the text of a file before the next question"),
    SAVE("FILE", "write the conversation as JSON, a list of messages"),
    LOAD(
        "FILE",
        "go on with a conversation from such a file; if it ends with a question, answer it"),
    SYSTEM("TEXT", "what the model is told about its part, from now on; without a text: show it"),
    HELP("", "this list"),
    EXIT("", "end, as Ctrl-D does");

    private final String argument;
    private final String help;

    Command(String argument, String help) {
      this.argument = argument;
      this.help = help;
    }

    String word() {
      return "/" + name().toLowerCase(Locale.ROOT);
    }
  }

  /// Says a message to the model.
  @FunctionalInterface
  interface Speaker {
    /// @param again how many replies to it there were before
    /// @return whether it was said; not where it was stopped before the model had taken it in
    boolean say(ChatMessage message, int again);
  }

  private static final Pattern COMMAND =
      Pattern.compile("/([A-Za-z]+)(?:\\s+(.*?))?\\s*", Pattern.DOTALL);
  private static final String USER = "user";
  private static final String SYSTEM = "system";

  private final ChatSession chat;
  private final Path model;
  private final Console console;
  private final Speaker speaker;
  private List<ChatMessage> beginning; // what a new conversation begins with
  private String read = ""; // texts of files, for the next question
  private int again; // replies to the last question, but for the first

  /// @param model what the model is read from; null for the demo
  Conversation(ChatSession chat, Path model, Console console, Speaker speaker) {
    this.chat = chat;
    this.model = model;
    this.console = console;
    this.speaker = speaker;
    this.beginning = chat.messages();
  }

  /// The commands, for an editor.
  static Commands commands() {
    return new Commands(
        Arrays.stream(Command.values()).map(Command::word).toList(),
        Arrays.stream(Command.values())
            .filter(c -> c.argument.equals("FILE"))
            .map(Command::word)
            .toList());
  }

  /// Whether a turn is for us and not for the model.
  static boolean isCommand(String turn) {
    return COMMAND.matcher(turn).matches();
  }

  /// @param turn not blank
  /// @return whether there may be another one
  /// @throws UserException if it can't be done; then nothing is
  /// @throws PromptException if it can't be said; then nothing is
  boolean take(String turn) {
    Matcher matcher = COMMAND.matcher(turn);
    if (!matcher.matches()) {
      say(turn.startsWith("//") ? turn.substring(1) : turn);
      return true;
    }
    Command command = named(matcher.group(1));
    String argument = matcher.group(2) == null ? "" : matcher.group(2);
    check(command, argument);
    try {
      switch (command) {
        case CLEAR -> clear();
        case REGEN -> regenerate();
        case READ -> read(file(command, argument));
        case SAVE -> save(file(command, argument));
        case LOAD -> load(file(command, argument));
        case SYSTEM -> system(argument);
        case HELP -> help();
        case EXIT -> {
          return false;
        }
      }
    } catch (IOException e) {
      throw new UserException(command.word() + ": " + Failures.words(e), e);
    }
    return true;
  }

  private static Command named(String name) {
    return Arrays.stream(Command.values())
        .filter(c -> c.word().equals("/" + name))
        .findFirst()
        .orElseThrow(() ->
            new UserException(
                "/"
                    + name
                    + ": no such command; /help lists them, and a text that begins so needs two slashes"));
  }

  private static void check(Command command, String argument) {
    boolean needed = command.argument.equals("FILE");
    if (needed && argument.isEmpty()) {
      throw new UserException(command.word() + ": expected " + command.word() + " FILE");
    }
    if (command.argument.isEmpty() && !argument.isEmpty()) {
      throw new UserException(command.word() + ": expected nothing behind it");
    }
  }

  private static Path file(Command command, String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new UserException(command.word() + ": " + e.getMessage(), e);
    }
  }

  private void say(String text) {
    if (speaker.say(ChatMessage.user(read + text), 0)) {
      read = "";
      again = 0;
    }
  }

  private void clear() {
    chat.resume(beginning);
    read = "";
    console.notes().println("quern: a new conversation");
  }

  private void regenerate() {
    List<ChatMessage> before = chat.messages();
    int last = lastQuestion(before);
    if (last < 0) {
      throw new UserException("/regen: nothing was asked yet");
    }
    chat.resume(before.subList(0, last));
    boolean said = false;
    try {
      said = speaker.say(before.get(last), again + 1);
      again += said ? 1 : 0;
    } finally {
      if (!said) {
        chat.resume(before);
      }
    }
  }

  private static int lastQuestion(List<ChatMessage> messages) {
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role().equals(USER)) {
        return i;
      }
    }
    return -1;
  }

  private void read(Path file) throws IOException {
    String text = TextInput.read(file, console);
    read += text + "\n\n";
    console
        .notes()
        .printf(
            Locale.ROOT,
            "quern: %s: %d characters go before the next question%n",
            file,
            text.codePointCount(0, text.length()));
  }

  private void save(Path file) throws IOException {
    new ConversationFile(file).write(chat.messages(), model, console);
    console.notes().printf(Locale.ROOT, "quern: %s: %d messages%n", file, chat.messages().size());
  }

  private void load(Path file) throws IOException {
    List<ChatMessage> all = new ConversationFile(file).read(console);
    List<ChatMessage> before = chat.messages();
    boolean asks = all.getLast().role().equals(USER);
    resume(Command.LOAD, asks ? all.subList(0, all.size() - 1) : all);
    List<ChatMessage> begun = all.stream().takeWhile(m -> m.role().equals(SYSTEM)).toList();
    console.notes().printf(Locale.ROOT, "quern: %s: %d messages%n", file, all.size());
    boolean said = !asks;
    try {
      said = said || speaker.say(all.getLast(), 0);
    } finally {
      if (said) {
        beginning = begun;
        again = 0;
      } else {
        chat.resume(before);
      }
    }
  }

  private void system(String text) {
    if (text.isEmpty()) {
      console
          .err()
          .println(
              "quern: "
                  + systemText(chat.messages()).map(t -> "system: " + t).orElse("no system text"));
      return;
    }
    List<ChatMessage> told = new ArrayList<>();
    told.add(ChatMessage.system(text));
    chat.messages().stream().dropWhile(m -> m.role().equals(SYSTEM)).forEach(told::add);
    resume(Command.SYSTEM, told);
    beginning = List.of(told.getFirst());
  }

  private static Optional<String> systemText(List<ChatMessage> messages) {
    return messages.stream()
        .takeWhile(m -> m.role().equals(SYSTEM))
        .flatMap(m -> m.content().stream())
        .findFirst();
  }

  private void resume(Command command, List<ChatMessage> messages) {
    try {
      chat.resume(messages);
    } catch (LlamaException e) {
      throw new UserException(command.word() + ": " + e.getMessage(), e);
    }
  }

  private void help() {
    console
        .err()
        .print(
            Arrays.stream(Command.values())
                .map(c ->
                    String.format(Locale.ROOT, "  %-14s %s%n", c.word() + " " + c.argument, c.help))
                .collect(Collectors.joining()));
    console
        .err()
        .print(
            """
              A line that ends in \\ goes on in the next; \""" begins and ends a text of several lines.
              //... says a text that begins with a slash. Ctrl-C stops a reply.
            """);
  }
}
