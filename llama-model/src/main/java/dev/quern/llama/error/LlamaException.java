package dev.quern.llama.error;

import dev.quern.Blame;
import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A mistake that the user of a model can mend: a file that is not a Llama model as Quern runs it,
/// a machine without room for it, a request that can't be honoured ([RequestException]). The
/// message is one line that says what, where, what was expected, and the fix.
///
/// @since 0.1
/// @stability api
public sealed class LlamaException extends QuernException
    permits RequestException, QueueFullException {
  private static final long serialVersionUID = 1L;

  private final Blame blame;

  public LlamaException(String message) {
    this(message, Blame.SETUP);
  }

  public LlamaException(String message, Throwable cause) {
    this(message, cause, Blame.SETUP);
  }

  LlamaException(String message, Blame blame) {
    super(Printable.message(message));
    this.blame = blame;
  }

  public LlamaException(String message, Throwable cause, Blame blame) {
    super(Printable.message(message), cause);
    this.blame = blame;
  }

  @Override
  public final Blame blame() {
    return blame;
  }
}
