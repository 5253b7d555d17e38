package dev.quern.llama.gguf;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// Something is wrong with a GGUF file: it is damaged, of an unknown version, or does not hold what
/// was asked for.
///
/// The message is one line: the file, where in it (byte offset, structure, key or tensor), what is
/// there, what was expected, and the remedy if there is one. Text out of the file appears quoted,
/// escaped and cut, so it is safe to print.
///
/// @since 0.1
/// @stability api
public final class GgufException extends QuernException {
  private static final long serialVersionUID = 1L;

  public GgufException(String message) {
    super(Printable.message(message));
  }
}
