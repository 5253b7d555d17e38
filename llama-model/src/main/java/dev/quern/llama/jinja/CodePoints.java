package dev.quern.llama.jinja;

import java.util.ArrayList;
import java.util.List;

/// Texts by code points, which are what Python counts.
final class CodePoints {
  private CodePoints() {}

  static int count(Text text) {
    return text.chars().codePointCount(0, text.length());
  }

  /// The place of the code point `index`, in UTF-16.
  private static int place(Text text, int index) {
    return text.chars().offsetByCodePoints(0, index);
  }

  static Text at(Text text, int index) {
    int from = place(text, index);
    return text.slice(from, text.chars().offsetByCodePoints(from, 1));
  }

  static Text slice(Text text, int from, int to) {
    int begin = place(text, from);
    return text.slice(begin, text.chars().offsetByCodePoints(begin, to - from));
  }

  static List<Value> all(Text text, Budget budget) {
    budget.parts(text.length());
    List<Value> all = new ArrayList<>();
    for (int i = 0; i < text.length(); ) {
      int next = text.chars().offsetByCodePoints(i, 1);
      all.add(text.slice(i, next));
      i = next;
    }
    return all;
  }
}
