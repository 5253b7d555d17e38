package dev.quern.llama.jinja;

/// A text in the making, which is paid for before it grows.
final class TextBuilder {
  private final Budget budget;
  private final StringBuilder chars = new StringBuilder();
  private final StringBuilder origin = new StringBuilder();

  TextBuilder(Budget budget) {
    this.budget = budget;
  }

  TextBuilder append(Text text) {
    budget.characters(text.length());
    chars.append(text.chars());
    origin.append(text.origin());
    return this;
  }

  /// A part of a text.
  TextBuilder append(Text text, int from, int to) {
    budget.characters(to - from);
    chars.append(text.chars(), from, to);
    origin.append(text.origin(), from, to);
    return this;
  }

  /// Characters that the template wrote.
  TextBuilder append(String own) {
    return append(own, Text.OWN);
  }

  TextBuilder append(String text, char from) {
    budget.characters(text.length());
    chars.append(text);
    origin.repeat(from, text.length());
    return this;
  }

  int length() {
    return chars.length();
  }

  Text text() {
    return new Text(chars.toString(), origin.toString(), false);
  }
}
