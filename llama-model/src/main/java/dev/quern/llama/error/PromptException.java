package dev.quern.llama.error;

/// A prompt that was refused before any of it was run: it does not fit in the context, is empty, or
/// can't be said in the model's chat format. The session is as it was, so another prompt may do.
///
/// @since 0.1
/// @stability api
public final class PromptException extends RequestException {
  private static final long serialVersionUID = 1L;

  public PromptException(String message) {
    super(message);
  }

  public PromptException(String message, Throwable cause) {
    super(message, cause);
  }
}
