package dev.quern.llama.tokenizer;

/// A tokenization algorithm over text without special tokens. Immutable and thread-safe.
sealed interface TextEncoder permits BytePairEncoder, SentencePieceEncoder {
  /// What a text comes behind.
  enum Place {
    /// Nothing: it begins the input.
    START,
    /// A special token.
    BEHIND_SPECIAL,
    /// Other text.
    WITHIN
  }

  /// Appends the tokens of `text` (well-formed UTF-16, not empty).
  void encode(String text, Place place, IntBuffer out);

  /// The bytes that an ordinary token stands for.
  byte[] bytes(int id);

  /// Whether encoding puts a space before the text, which decoding takes away again.
  boolean addsSpacePrefix();
}
