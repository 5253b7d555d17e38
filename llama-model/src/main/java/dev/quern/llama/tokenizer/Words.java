package dev.quern.llama.tokenizer;

/// Cuts text into the words that byte-pair encoding never crosses. They follow one another without
/// gaps.
@FunctionalInterface
interface Words {
  /// The end of the word that begins at `from`.
  int end(String text, int from);
}
