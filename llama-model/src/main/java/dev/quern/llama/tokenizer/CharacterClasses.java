package dev.quern.llama.tokenizer;

import java.util.List;

/// Classes of characters that the expressions of pre-tokenizers speak of, by the running JDK's
/// Unicode version, and runs of them.
final class CharacterClasses {
  /// Endings of English words that are words of their own.
  static final List<String> CONTRACTIONS = List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");

  private CharacterClasses() {}

  /// The end of the letters (`\p{L}`) from there on.
  static int lettersEnd(String text, int from) {
    int end = from;
    while (end < text.length()) {
      int c = text.codePointAt(end);
      if (!Character.isLetter(c)) {
        break;
      }
      end += Character.charCount(c);
    }
    return end;
  }

  /// The end of the symbols from there on.
  static int symbolsEnd(String text, int from) {
    int end = from;
    while (end < text.length() && isSymbol(text.codePointAt(end))) {
      end += Character.charCount(text.codePointAt(end));
    }
    return end;
  }

  /// What is none of white space, letter and number.
  static boolean isSymbol(int c) {
    return !isWhiteSpace(c) && !Character.isLetter(c) && !isNumber(c);
  }

  /// `\p{N}`
  static boolean isNumber(int c) {
    return switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  /// `\s` as Unicode's White_Space property. Java's own notions of white space lack U+0085 or the
  /// no-break spaces, or add U+001C .. U+001F.
  static boolean isWhiteSpace(int c) {
    return c == ' ' || c >= 0x09 && c <= 0x0d || c == 0x85 || c > 0x85 && Character.isSpaceChar(c);
  }
}
