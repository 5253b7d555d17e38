package dev.quern.llama;

import dev.quern.QuernException;
import dev.quern.llama.checkpoint.ModelException;
import dev.quern.llama.text.Printable;

/// A mistake that the user of a model can mend: a file that is not a Llama model as Quern runs it,
/// a prompt that does not fit, an option out of range. The message is one line that says what,
/// where, what was expected, and the fix.
///
/// @since 0.1
/// @stability api
public sealed class LlamaException extends QuernException permits PromptException {
  private static final long serialVersionUID = 1L;

  public LlamaException(String message) {
    super(Printable.message(message));
  }

  public LlamaException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }

  /// Does something with a model, whose rooms don't know this exception: they throw another that
  /// says the same, of the same place in the code, for the same cause.
  static <T, E extends Exception> T hearing(Work<T, E> work) throws E {
    try {
      return work.run();
    } catch (ModelException e) {
      LlamaException same = new LlamaException(e.getMessage(), e.getCause());
      same.setStackTrace(e.getStackTrace());
      for (Throwable suppressed : e.getSuppressed()) {
        same.addSuppressed(suppressed);
      }
      throw same;
    }
  }

  /// What may throw a [ModelException].
  interface Work<T, E extends Exception> {
    T run() throws E;
  }
}
