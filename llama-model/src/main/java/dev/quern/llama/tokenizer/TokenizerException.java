package dev.quern.llama.tokenizer;

import java.util.Locale;

/// A vocabulary that can't be used. The message is one line: which metadata key, what it holds,
/// what was expected.
public final class TokenizerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TokenizerException(String message) {
    super(message);
  }

  /// A token's text for a message: quoted, short, and without control characters.
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints()
        .limit(40)
        .forEach(c -> {
          if (Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE) {
            quoted.append(String.format(Locale.ROOT, "\\u%04x", c));
          } else {
            quoted.appendCodePoint(c);
          }
        });
    return quoted.append(text.codePointCount(0, text.length()) > 40 ? "...\"" : "\"").toString();
  }
}
