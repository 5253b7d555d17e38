package dev.quern.llama.tokenizer;

/// A tokenization algorithm over text without special tokens. Immutable and thread-safe.
sealed interface TextEncoder permits BytePairEncoder, SentencePieceEncoder {
  /// Appends the tokens of `text` (well-formed UTF-16, not empty).
  ///
  /// @param afterSpecial whether the text follows a special token or begins the input
  void encode(String text, boolean afterSpecial, IntBuffer out);

  /// The bytes that an ordinary token stands for.
  byte[] bytes(int id);

  /// Whether encoding puts a space before the text, which decoding takes away again.
  boolean addsSpacePrefix();
}
