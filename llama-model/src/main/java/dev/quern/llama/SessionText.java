package dev.quern.llama;

import dev.quern.llama.tokenizer.StreamingDecoder;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Optional;

/// Turns a session's tokens into text, after all that came before them: the bytes of a character
/// that is not complete are held back across calls.
final class SessionText {
  private final Tokenizer tokenizer;
  private final SessionTokens tokens;
  private StreamingDecoder decoder;
  private int seen; // tokens, pending ones included, that the decoder has had

  SessionText(Tokenizer tokenizer, SessionTokens tokens) {
    this.tokenizer = tokenizer;
    this.tokens = tokens;
    reset();
  }

  /// Where the model has a vocabulary.
  static Optional<SessionText> of(LlamaModel model, SessionTokens tokens) {
    return model.hasTokenizer()
        ? Optional.of(new SessionText(model.tokenizer(), tokens))
        : Optional.empty();
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /// The text that a token behind those in the cache completes.
  String next(int token) {
    catchUp();
    seen++;
    return decoder.next(token);
  }

  /// Whether the tokens so far, pending ones included, end within a character.
  boolean isWithinCharacter() {
    catchUp();
    return decoder.isWithinCharacter();
  }

  /// The text is over: U+FFFD for a character that was never completed.
  String finish() {
    catchUp();
    return decoder.finish();
  }

  /// Tokens were taken away or replaced: all are looked at again.
  void reset() {
    decoder = StreamingDecoder.atStart(tokenizer, false);
    seen = 0;
  }

  private void catchUp() {
    while (seen < tokens.position()) {
      decoder.next(tokens.at(seen++));
    }
  }
}
