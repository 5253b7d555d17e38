package dev.quern.llama;

import dev.quern.llama.error.PromptException;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatPrompt;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.TokenizerException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// A conversation over one session. It is a list of messages, which the model's template writes
/// anew for each turn; what is in the KV cache of that is not run again. So a turn costs its own
/// tokens, and where a template writes earlier turns otherwise (Qwen3 leaves out their thoughts),
/// those from there on.
///
/// A reply stays in the cache with the tokens that the model chose, as long as the template writes
/// its text as it was, but for white space around it.
///
/// @since 0.1
/// @stability api
public final class ChatSession {
  private final LlamaSession session;
  private final ChatTemplate template;
  private final ChatOptions options;
  private final List<ChatMessage> beginning;
  private List<ChatMessage> messages;
  private Optional<ChatPrompt> said = Optional.empty(); // the last one, with its reply

  /// @param session a new session; the conversation owns its history
  /// @param system what the model is told about its part, if anything
  /// @throws dev.quern.llama.tokenizer.TokenizerException if the model has no chat template, or one
  ///   that can't be run
  /// @throws RequestException if its format can't express the system text
  public ChatSession(LlamaModel model, LlamaSession session, Optional<String> system) {
    this(
        model,
        session,
        system.map(ChatMessage::system).map(List::of).orElse(List.of()),
        ChatOptions.defaults());
  }

  /// @param beginning messages that each conversation begins with; may be empty
  /// @param options tools, and what else the template is to know
  /// @throws dev.quern.llama.tokenizer.TokenizerException if the model has no chat template, or one
  ///   that can't be run
  /// @throws RequestException if its format can't express the beginning
  public ChatSession(
      LlamaModel model, LlamaSession session, List<ChatMessage> beginning, ChatOptions options) {
    this.session = session;
    this.template = model.chatTemplate();
    this.options = options;
    this.beginning = List.copyOf(beginning);
    this.messages = this.beginning;
    if (!beginning.isEmpty()) { // now, and not with every question
      try {
        template.render(with(ChatMessage.user("")), options);
      } catch (TokenizerException e) {
        throw new RequestException(e.getMessage(), e);
      }
    }
  }

  /// Says something to the model and hands on its reply piece by piece. What is refused, throws, or
  /// is cancelled before the model has taken it in was not said: the conversation goes on as if.
  ///
  /// @throws PromptException if the conversation no longer fits in the context; a shorter text, or
  ///   [#restart()] and the text, may. Also if the model's format can't express the text
  public Generation reply(String user, GenerationOptions options, Consumer<String> text) {
    return reply(ChatMessage.user(user), options, text);
  }

  /// [#reply(String, GenerationOptions, Consumer)] to any message, such as a tool's answer.
  public Generation reply(ChatMessage message, GenerationOptions options, Consumer<String> text) {
    List<ChatMessage> asked = with(message);
    ChatPrompt prompt = rendered(asked);
    StringBuilder reply = new StringBuilder();
    Generation generation =
        session.generateAnew(
            prompt.tokens(),
            options,
            piece -> {
              reply.append(piece);
              text.accept(piece);
            });
    if (generation.promptTokens() > 0) { // it was not cancelled before
      int[] generated = session.tokensFrom(prompt.tokens().length);
      said = Optional.of(prompt.withReply(generated, reply.toString()));
      messages = asked;
      messages = with(ChatMessage.assistant(reply.toString()));
    }
    return generation;
  }

  private ChatPrompt rendered(List<ChatMessage> asked) {
    try {
      return said.isPresent()
          ? template.render(asked, options, said.get())
          : template.render(asked, options);
    } catch (TokenizerException e) {
      throw new PromptException(e.getMessage(), e);
    }
  }

  private List<ChatMessage> with(ChatMessage message) {
    List<ChatMessage> more = new ArrayList<>(messages);
    more.add(message);
    return List.copyOf(more);
  }

  /// What was said so far, the replies among it.
  public List<ChatMessage> messages() {
    return messages;
  }

  /// Forgets what was said, except what the conversation began with.
  public void restart() {
    session.rewind(0);
    messages = beginning;
    said = Optional.empty();
  }
}
