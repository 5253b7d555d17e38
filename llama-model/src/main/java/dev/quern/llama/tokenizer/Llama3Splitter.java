package dev.quern.llama.tokenizer;

/// The pre-tokenizer of Llama 3. It is the regular expression of Meta's reference `tokenizer.py`,
/// alternatives in order:
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
  private Llama3Splitter() {}

  /// The end of the word that begins at `from`.
  static int wordEnd(String text, int from) {
    return wordEnd(text, from, 3);
  }

  /// The same where numbers are cut into other pieces, as Qwen2 cuts them into single characters.
  ///
  /// @param digits most of a word that is a number
  static int wordEnd(String text, int from, int digits) {
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
      return CharacterClasses.lettersEnd(text, second);
    }
    boolean number = CharacterClasses.isNumber(first);
    if (first != '\r'
        && first != '\n'
        && !number
        && second < length
        && Character.isLetter(text.codePointAt(second))) {
      return CharacterClasses.lettersEnd(text, second);
    }
    if (number) {
      int end = second;
      for (int n = 1;
          n < digits && end < length && CharacterClasses.isNumber(text.codePointAt(end));
          n++) {
        end += Character.charCount(text.codePointAt(end));
      }
      return end;
    }
    int symbols = first == ' ' ? second : from;
    if (symbols < length && CharacterClasses.isSymbol(text.codePointAt(symbols))) {
      return symbolsEnd(text, symbols);
    }
    return spacesEnd(text, from);
  }

  private static int contractionEnd(String text, int from) {
    for (String suffix : CharacterClasses.CONTRACTIONS) {
      if (text.regionMatches(true, from, suffix, 0, suffix.length())
          && text.charAt(from + 1) < 128) { // U+017F folds to s
        return from + suffix.length();
      }
    }
    return from;
  }

  private static int symbolsEnd(String text, int from) {
    int end = CharacterClasses.symbolsEnd(text, from);
    while (end < text.length() && isNewline(text.charAt(end))) {
      end++;
    }
    return end;
  }

  /// The three alternatives for white space. All of it lies in the basic plane.
  private static int spacesEnd(String text, int from) {
    int end = from;
    int afterNewline = from;
    while (end < text.length() && CharacterClasses.isWhiteSpace(text.charAt(end))) {
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

  private static boolean isNewline(int c) {
    return c == '\r' || c == '\n';
  }
}
