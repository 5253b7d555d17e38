package dev.quern.llama.checkpoint;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// Something is wrong with a file of a model folder: it is absent, damaged, or does not hold what
/// it should.
///
/// The message is one line: the file, where in it, what is there, what was expected, and the remedy
/// if there is one. Text out of the file appears quoted, escaped and cut, so it is safe to print.
///
/// @since 0.1
/// @stability api
public final class CheckpointException extends QuernException {
  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(Printable.message(message));
  }

  CheckpointException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }
}
