package dev.quern.llama.jinja;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A template that can't be run, or refuses what it is to be run on (`raise_exception`). The
/// message is one line: which line of the template, what it holds, what was expected.
public final class JinjaException extends QuernException {
  private static final long serialVersionUID = 1L;

  JinjaException(String message) {
    super(Printable.message(message));
  }

  JinjaException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }
}
