package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.function.IntPredicate;

/// Classes of characters that the expressions of pre-tokenizers speak of, by the running JDK's
/// Unicode version, and runs of them.
final class CharacterClasses {
  /// Endings of English words that are words of their own.
  private static final List<String> CONTRACTIONS =
      List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");

  private CharacterClasses() {}

  /// The end of the run of characters of a class from there on, at most `to`.
  static int runEnd(CharSequence text, int from, int to, IntPredicate isMember) {
    int end = from;
    while (end < to) {
      int c = Character.codePointAt(text, end);
      if (!isMember.test(c)) {
        break;
      }
      end += Character.charCount(c);
    }
    return end;
  }

  /// The end of the contraction that begins at the apostrophe there, or `from` where none does.
  /// Case is folded for ASCII only, as llama.cpp does: U+017F is no s.
  ///
  /// @param foldsCase whether upper case counts
  static int contractionEnd(CharSequence text, int from, int to, boolean foldsCase) {
    for (String suffix : CONTRACTIONS) {
      if (from + suffix.length() <= to && isThere(text, from, suffix, foldsCase)) {
        return from + suffix.length();
      }
    }
    return from;
  }

  /// What is none of white space, letter and number.
  static boolean isSymbol(int c) {
    return !isWhiteSpace(c) && !Character.isLetter(c) && !isNumber(c);
  }

  private static boolean isThere(CharSequence text, int from, String suffix, boolean foldsCase) {
    for (int i = 0; i < suffix.length(); i++) {
      char c = text.charAt(from + i);
      if (c != suffix.charAt(i)
          && !(foldsCase && c >= 'A' && c <= 'Z' && c + 32 == suffix.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /// `\p{N}`
  static boolean isNumber(int c) {
    return switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  /// `\p{M}`
  static boolean isMark(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          true;
      default -> false;
    };
  }

  /// `\p{P}`
  static boolean isPunctuation(int c) {
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  static boolean isNewline(int c) {
    return c == '\r' || c == '\n';
  }

  /// `\s` as Unicode's White_Space property. Java's own notions of white space lack U+0085 or the
  /// no-break spaces, or add U+001C .. U+001F.
  static boolean isWhiteSpace(int c) {
    return c == ' ' || c >= 0x09 && c <= 0x0d || c == 0x85 || c > 0x85 && Character.isSpaceChar(c);
  }
}
