package dev.quern.llama.tokenizer;

/// The pre-tokenizer of SmolLM: numbers are words of one character, and what lies between them is
/// cut by GPT-2's regular expression (OpenAI's `encoder.py`), alternatives in order:
///
/// ```
/// 's|'t|'re|'ve|'m|'ll|'d
///  ?\p{L}+
///  ?\p{N}+
///  ?[^\s\p{L}\p{N}]+
/// \s+(?!\S)
/// \s+
/// ```
///
/// As [Llama3Splitter] it is a scanner. A text ends before a number, so white space there is one
/// word, and the third alternative has nothing to do.
final class Gpt2Splitter {
  private Gpt2Splitter() {}

  /// The end of the word that begins at `from`.
  static int wordEnd(String text, int from) {
    int first = text.codePointAt(from);
    int second = from + Character.charCount(first);
    if (CharacterClasses.isNumber(first)) {
      return second;
    }
    if (first == '\'') {
      int end = contractionEnd(text, from);
      if (end > from) {
        return end;
      }
    }
    int begin = first == ' ' ? second : from;
    if (begin < text.length()) {
      int c = text.codePointAt(begin);
      if (Character.isLetter(c)) {
        return CharacterClasses.lettersEnd(text, begin);
      }
      if (CharacterClasses.isSymbol(c)) {
        return CharacterClasses.symbolsEnd(text, begin);
      }
    }
    return spacesEnd(text, from);
  }

  private static int contractionEnd(String text, int from) {
    for (String suffix : CharacterClasses.CONTRACTIONS) {
      if (text.startsWith(suffix, from)) {
        return from + suffix.length();
      }
    }
    return from;
  }

  /// White space; all of it lies in the basic plane. The last one stays with the word that follows,
  /// unless that is a number.
  private static int spacesEnd(String text, int from) {
    int end = from;
    while (end < text.length() && CharacterClasses.isWhiteSpace(text.charAt(end))) {
      end++;
    }
    boolean word = end < text.length() && !CharacterClasses.isNumber(text.codePointAt(end));
    return word && end - from > 1 ? end - 1 : end;
  }
}
