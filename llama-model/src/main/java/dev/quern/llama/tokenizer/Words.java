package dev.quern.llama.tokenizer;

/// A step that cuts text. The pieces follow one another without gaps.
@FunctionalInterface
interface Words {
  /// The end of the piece that begins at `from` in a text that ends at `to`: what lies behind is
  /// not looked at.
  int end(CharSequence text, int from, int to);
}
