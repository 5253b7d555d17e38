package dev.quern.llama.tokenizer;

/// The pre-tokenizer of Llama 3, which cuts text into the words that byte-pair encoding never
/// crosses. It is the regular expression of Meta's reference `tokenizer.py`, alternatives in order:
///
/// ```
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)
/// [^\r\n\p{L}\p{N}]?\p{L}+
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
///
/// as a scanner, so that time is linear and the stack flat on any input. Letters, numbers and white
/// space are those of the running JDK's Unicode version; contractions fold ASCII case only, as
/// llama.cpp does (the regular expression would also take U+017F for an s).
final class Llama3Splitter {
  private static final String[] CONTRACTIONS = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

  private Llama3Splitter() {}

  /// The end of the word that begins at `from`.
  static int wordEnd(String text, int from) {
    int length = text.length();
    int first = text.codePointAt(from);
    int second = from + Character.charCount(first);
    if (first == '\'') {
      int end = contractionEnd(text, from);
      if (end > from) {
        return end;
      }
    }
    if (Character.isLetter(first)) {
      return lettersEnd(text, second);
    }
    boolean number = isNumber(first);
    if (first != '\r'
        && first != '\n'
        && !number
        && second < length
        && Character.isLetter(text.codePointAt(second))) {
      return lettersEnd(text, second);
    }
    if (number) {
      int end = second;
      for (int n = 1; n < 3 && end < length && isNumber(text.codePointAt(end)); n++) {
        end += Character.charCount(text.codePointAt(end));
      }
      return end;
    }
    int symbols = first == ' ' ? second : from;
    if (symbols < length && isSymbol(text.codePointAt(symbols))) {
      return symbolsEnd(text, symbols);
    }
    return spacesEnd(text, from);
  }

  private static int contractionEnd(String text, int from) {
    for (String suffix : CONTRACTIONS) {
      if (text.regionMatches(true, from, suffix, 0, suffix.length())
          && text.charAt(from + 1) < 128) { // U+017F folds to s
        return from + suffix.length();
      }
    }
    return from;
  }

  private static int lettersEnd(String text, int from) {
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

  private static int symbolsEnd(String text, int from) {
    int end = from;
    while (end < text.length() && isSymbol(text.codePointAt(end))) {
      end += Character.charCount(text.codePointAt(end));
    }
    while (end < text.length() && isNewline(text.charAt(end))) {
      end++;
    }
    return end;
  }

  /// The three alternatives for white space. All of it lies in the basic plane.
  private static int spacesEnd(String text, int from) {
    int end = from;
    int afterNewline = from;
    while (end < text.length() && isWhiteSpace(text.charAt(end))) {
      end++;
      if (isNewline(text.charAt(end - 1))) {
        afterNewline = end;
      }
    }
    if (afterNewline > from) {
      return afterNewline;
    }
    // The last space stays with the word that follows.
    return end < text.length() && end - from > 1 ? end - 1 : end;
  }

  private static boolean isSymbol(int c) {
    return !isWhiteSpace(c) && !Character.isLetter(c) && !isNumber(c);
  }

  private static boolean isNewline(int c) {
    return c == '\r' || c == '\n';
  }

  /// `\p{N}`
  private static boolean isNumber(int c) {
    return switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  /// `\s` as Unicode's White_Space property. Java's own notions of white space lack U+0085 or the
  /// no-break spaces, or add U+001C .. U+001F.
  private static boolean isWhiteSpace(int c) {
    return c == ' ' || c >= 0x09 && c <= 0x0d || c == 0x85 || c > 0x85 && Character.isSpaceChar(c);
  }
}
