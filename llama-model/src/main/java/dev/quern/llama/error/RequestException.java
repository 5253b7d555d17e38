package dev.quern.llama.error;

import dev.quern.Blame;

/// A request that can't be honoured, whatever the model's load: an option out of range, a
/// constraint that can't be kept to, a prompt that does not fit. Nothing of it was run.
///
/// @since 0.1
/// @stability api
public sealed class RequestException extends LlamaException permits PromptException {
  private static final long serialVersionUID = 1L;

  public RequestException(String message) {
    super(message, Blame.CALLER);
  }

  public RequestException(String message, Throwable cause) {
    super(message, cause, Blame.CALLER);
  }
}
