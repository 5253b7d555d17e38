package dev.quern.llama.tokenizer;

import java.util.Locale;

/// The kinds of token, numbered from 1 as in the metadata key `tokenizer.ggml.token_type`.
enum TokenType {
  /// Text, in the vocabulary's own spelling.
  NORMAL,
  /// What a SentencePiece vocabulary emits for text that it can't express.
  UNKNOWN,
  /// Structure, such as the end of a turn. Never made from ordinary text, never shown.
  CONTROL,
  /// Literal text that is found before any other tokenization.
  USER_DEFINED,
  /// A spare entry, in practice ordinary text.
  UNUSED,
  /// One byte, spelled `<0xXX>`, for text that a SentencePiece vocabulary has no entry for.
  BYTE;

  private static final TokenType[] BY_NUMBER = values();

  static TokenType of(int number, int id) {
    if (number < 1 || number > BY_NUMBER.length) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s[%d] = %d, expected 1 .. %d",
              Keys.TYPES,
              id,
              number,
              BY_NUMBER.length));
    }
    return BY_NUMBER[number - 1];
  }

  /// Whether ordinary text may become a token of this type.
  boolean isText() {
    return this == NORMAL || this == USER_DEFINED || this == UNUSED;
  }

  /// Whether a token of this type is left out of decoded text.
  boolean isHidden() {
    return this == CONTROL || this == UNKNOWN;
  }
}
