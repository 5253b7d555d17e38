package dev.quern.llama.tokenizer;

import dev.quern.llama.text.Printable;

/// A vocabulary that can't be used. The message is one line: which metadata key, what it holds,
/// what was expected.
public final class TokenizerException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARACTERS = 40;

  TokenizerException(String message) {
    super(message);
  }

  /// A token's text for a message: quoted, short, and safe to print.
  static String quote(String text) {
    int points = text.codePointCount(0, text.length());
    String shown =
        text.substring(0, text.offsetByCodePoints(0, Math.min(points, SHOWN_CHARACTERS)));
    return "\"" + Printable.escaped(shown) + (points > SHOWN_CHARACTERS ? "...\"" : "\"");
  }
}
