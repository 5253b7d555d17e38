package dev.quern.llama.checkpoint;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A model that can't be run as it is: it is not a Llama model as Quern runs it, or the machine has
/// no room for it. The message is one line that says what, where, what was expected, and the fix.
///
/// Whoever loads a model hears of it by a `dev.quern.llama.LlamaException`, which says the same.
///
/// @since 0.1
/// @stability api
public final class ModelException extends QuernException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(Printable.message(message));
  }

  public ModelException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }
}
