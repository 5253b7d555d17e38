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

  /// A step of [PreTokenizer].
  static int wordEnd(CharSequence text, int from, int to) {
    return wordEnd(text, from, to, 3);
  }

  /// The same where numbers are cut into other pieces, as Qwen2 cuts them into single characters.
  ///
  /// @param digits most of a word that is a number
  static int wordEnd(CharSequence text, int from, int to, int digits) {
    int first = Character.codePointAt(text, from);
    int second = from + Character.charCount(first);
    if (first == '\'') {
      int end = CharacterClasses.contractionEnd(text, from, to, true);
      if (end > from) {
        return end;
      }
    }
    if (Character.isLetter(first)) {
      return CharacterClasses.runEnd(text, second, to, Character::isLetter);
    }
    if (CharacterClasses.isNumber(first)) {
      return numberEnd(text, from, to, digits);
    }
    if (!CharacterClasses.isNewline(first)
        && second < to
        && Character.isLetter(Character.codePointAt(text, second))) {
      return CharacterClasses.runEnd(text, second, to, Character::isLetter);
    }
    int symbols = first == ' ' ? second : from;
    if (symbols < to && CharacterClasses.isSymbol(Character.codePointAt(text, symbols))) {
      int end = CharacterClasses.runEnd(text, symbols, to, CharacterClasses::isSymbol);
      return CharacterClasses.runEnd(text, end, to, CharacterClasses::isNewline);
    }
    return spacesEnd(text, from, to);
  }

  /// `\p{N}{1,digits}`
  static int numberEnd(CharSequence text, int from, int to, int digits) {
    int end = from;
    for (int n = 0; n < digits && end < to; n++) {
      int c = Character.codePointAt(text, end);
      if (!CharacterClasses.isNumber(c)) {
        break;
      }
      end += Character.charCount(c);
    }
    return end;
  }

  /// The three alternatives for white space. All of it lies in the basic plane.
  static int spacesEnd(CharSequence text, int from, int to) {
    int end = from;
    int afterNewline = from;
    while (end < to && CharacterClasses.isWhiteSpace(text.charAt(end))) {
      end++;
      if (CharacterClasses.isNewline(text.charAt(end - 1))) {
        afterNewline = end;
      }
    }
    if (afterNewline > from) {
      return afterNewline;
    }
    // The last space stays with the word that follows.
    return end < to && end - from > 1 ? end - 1 : end;
  }
}
