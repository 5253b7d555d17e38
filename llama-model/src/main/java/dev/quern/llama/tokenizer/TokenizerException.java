package dev.quern.llama.tokenizer;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A vocabulary that can't be used. The message is one line: which metadata key, what it holds,
/// what was expected.
///
/// @since 0.1
/// @stability api
public final class TokenizerException extends QuernException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARACTERS = 40;

  TokenizerException(String message) {
    super(Printable.message(message));
  }

  /// A token's text for a message: quoted, short, and without what could disguise it.
  static String quote(String text) {
    int end = text.offsetByCodePoints(0, Math.min(40, text.codePointCount(0, text.length())));
    String shown = Printable.escaped(text.substring(0, end));
    return "\"" + shown + (end < text.length() ? "...\"" : "\"");
  }
}
