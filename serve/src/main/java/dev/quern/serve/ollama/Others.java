package dev.quern.serve.ollama;

import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;

/// Fields of chats and prompts that have one value here, which Ollama's own client sends.
final class Others {
  private Others() {}

  /// @throws HttpFailure 400 where one has another value
  static void refuse(JsonFields f) {
    f.only("logprobs", "false", "log probabilities are in /v1/chat/completions alone");
    f.only("top_logprobs", "0", "log probabilities are in /v1/chat/completions alone");
    f.only("truncate", "false", "a conversation that is too long is refused");
    f.only("shift", "false", "the context is not shifted");
    f.only("_debug_render_only", "false", "conversations are answered");
  }
}
