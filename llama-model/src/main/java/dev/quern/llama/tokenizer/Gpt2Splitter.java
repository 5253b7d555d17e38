package dev.quern.llama.tokenizer;

/// The pre-tokenizer of GPT-2. It is the regular expression of OpenAI's `encoder.py`, alternatives
/// in order:
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
/// As [Llama3Splitter] it is a scanner.
final class Gpt2Splitter {
  private Gpt2Splitter() {}

  /// A step of [PreTokenizer].
  static int wordEnd(CharSequence text, int from, int to) {
    int first = Character.codePointAt(text, from);
    if (first == '\'') {
      int end = CharacterClasses.contractionEnd(text, from, to, false);
      if (end > from) {
        return end;
      }
    }
    int begin = first == ' ' ? from + 1 : from;
    if (begin < to) {
      int c = Character.codePointAt(text, begin);
      if (Character.isLetter(c)) {
        return CharacterClasses.runEnd(text, begin, to, Character::isLetter);
      }
      if (CharacterClasses.isNumber(c)) {
        return CharacterClasses.runEnd(text, begin, to, CharacterClasses::isNumber);
      }
      if (CharacterClasses.isSymbol(c)) {
        return CharacterClasses.runEnd(text, begin, to, CharacterClasses::isSymbol);
      }
    }
    // The last of several spaces stays with the word that follows.
    int end = CharacterClasses.runEnd(text, from, to, CharacterClasses::isWhiteSpace);
    return end < to && end - from > 1 ? end - 1 : end; // white space lies in the basic plane
  }
}
