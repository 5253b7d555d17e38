package dev.quern.llama.tokenizer;

import dev.quern.Blame;
import dev.quern.QuernException;
import dev.quern.llama.text.Printable;

/// A vocabulary or a chat template that can't be used, or a conversation that the template can't
/// write. The message is one line: what, what it holds, what was expected.
///
/// @since 0.1
/// @stability api
public final class TokenizerException extends QuernException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARACTERS = 40;

  private final Blame blame;

  TokenizerException(String message) {
    this(message, Blame.SETUP);
  }

  private TokenizerException(String message, Blame blame) {
    super(Printable.message(message));
    this.blame = blame;
  }

  /// That something which a caller gave can't be taken.
  static TokenizerException ofCaller(String message) {
    return new TokenizerException(message, Blame.CALLER);
  }

  @Override
  public Blame blame() {
    return blame;
  }

  /// A token's text for a message: quoted, short, and without what could disguise it.
  static String quote(String text) {
    int end = text.offsetByCodePoints(0, Math.min(40, text.codePointCount(0, text.length())));
    String shown = Printable.escaped(text.substring(0, end));
    return "\"" + shown + (end < text.length() ? "...\"" : "\"");
  }
}
