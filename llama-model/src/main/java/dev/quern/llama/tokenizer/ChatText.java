package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;

/// What chat templates do with a content.
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

  /// Refuses tags that frame turns and are ordinary text in a vocabulary: a content that holds one
  /// would forge a turn.
  ///
  /// @throws TokenizerException where the content holds one
  static void refuse(String content, List<String> tags) {
    for (String tag : tags) {
      if (content.contains(tag)) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "chat: the text contains %s, expected none of %s, which frame this model's turns",
                tag,
                tags));
      }
    }
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }
}
