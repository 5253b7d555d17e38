package dev.quern.llama;

import dev.quern.llama.tokenizer.ChatTemplate;
import java.util.Optional;
import java.util.function.Consumer;

/// A conversation of several turns over one session. What was said stays in the KV cache, so that a
/// turn costs only its own tokens.
public final class ChatSession {
  private final LlamaSession session;
  private final ChatTemplate template;
  private final Optional<String> system;
  private boolean first = true;

  /// @param session a new session; the conversation owns its history
  /// @param system what the model is told about its part, if anything
  /// @throws dev.quern.llama.tokenizer.TokenizerException if the model has no chat template that
  ///   Quern knows
  public ChatSession(LlamaModel model, LlamaSession session, Optional<String> system) {
    this.session = session;
    this.template = model.chatTemplate();
    this.system = system;
  }

  /// Says something to the model and hands on its reply piece by piece.
  ///
  /// @throws LlamaException if the conversation no longer fits in the context
  public Generation reply(String user, GenerationOptions options, Consumer<String> text) {
    int[] turn = first ? template.firstTurn(system, user) : template.nextTurn(user);
    Generation generation = session.generate(turn, options, text);
    first = false;
    return generation;
  }
}
