package dev.quern.llama.error;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A mistake that the user of a model can mend: a file that is not a Llama model as Quern runs it,
/// a machine without room for it, a prompt that does not fit, an option out of range. The message
/// is one line that says what, where, what was expected, and the fix.
///
/// @since 0.1
/// @stability api
public sealed class LlamaException extends QuernException
    permits PromptException, QueueFullException {
  private static final long serialVersionUID = 1L;

  public LlamaException(String message) {
    super(Printable.message(message));
  }

  public LlamaException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }
}
