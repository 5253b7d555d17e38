package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.TokenizerException;
import java.util.Optional;
import java.util.function.Consumer;

/// A conversation of several turns over one session. What was said stays in the KV cache, so that a
/// turn costs only its own tokens.
///
/// @since 0.1
/// @stability api
public final class ChatSession {
  private final LlamaSession session;
  private final ChatTemplate template;
  private final Optional<String> system;

  /// @param session a new session; the conversation owns its history
  /// @param system what the model is told about its part, if anything
  /// @throws dev.quern.llama.tokenizer.TokenizerException if the model has no chat template, or one
  ///   that can't be run
  /// @throws LlamaException if its format can't express the system text
  public ChatSession(LlamaModel model, LlamaSession session, Optional<String> system) {
    this.session = session;
    this.template = model.chatTemplate();
    this.system = system;
    if (system.isPresent()) { // now, and not with every question
      try {
        template.firstTurn(system, "");
      } catch (TokenizerException e) {
        throw new LlamaException(e.getMessage(), e);
      }
    }
  }

  /// Says something to the model and hands on its reply piece by piece. What is refused, or
  /// cancelled before the model has taken it in, was not said: the conversation goes on as if.
  ///
  /// @throws PromptException if the conversation no longer fits in the context; a shorter text, or
  ///   [#restart()] and the text, may. Also if the model's format can't express the text
  public Generation reply(String user, GenerationOptions options, Consumer<String> text) {
    return session.generate(turn(user), options, text);
  }

  private int[] turn(String user) {
    try {
      return session.isEmpty() ? template.firstTurn(system, user) : template.nextTurn(user);
    } catch (TokenizerException e) {
      throw new PromptException(e.getMessage(), e);
    }
  }

  /// Forgets what was said, except what the model was told about its part.
  public void restart() {
    session.rewind(0);
  }
}
