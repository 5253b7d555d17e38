package dev.quern.llama.tokenizer;

/// White space as Python has it, which chat templates take away around a content.
final class ChatText {
  private ChatText() {}

  /// Python's `str.strip()`, which also takes no-break spaces.
  static String strip(String text) {
    int from = 0;
    int to = text.length();
    while (from < to && isSpace(text.charAt(from))) {
      from++;
    }
    while (to > from && isSpace(text.charAt(to - 1))) {
      to--;
    }
    return text.substring(from, to);
  }

  static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }
}
