package dev.quern.llama.tokenizer;

import java.util.function.IntPredicate;

/// The pre-tokenizers of GPT-4o and of Mistral's Tekken, which end a word before an upper-case
/// letter. With `U` for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and `L` for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
/// the published expressions are, alternatives in order:
///
/// ```
/// [^\r\n\p{L}\p{N}]?U*L+C?      C, of GPT-4o alone: (?i:'s|'t|'re|'ve|'m|'ll|'d)
/// [^\r\n\p{L}\p{N}]?U+L*C?
/// \p{N}{1,3}                    Tekken: \p{N}
///  ?[^\s\p{L}\p{N}]+[\r\n/]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
///
/// As [Llama3Splitter] it is a scanner: letters are walked at most four times.
///
/// @param isUpper the class `U`
/// @param isLower the class `L`
/// @param digits most of a word that is a number
/// @param contracts whether a word takes an English contraction with it
record CasedSplitter(IntPredicate isUpper, IntPredicate isLower, int digits, boolean contracts)
    implements Words {
  private static final int NONE = -1;

  static final CasedSplitter GPT4O =
      new CasedSplitter(CasedSplitter::isUpper, CasedSplitter::isLower, 3, true);
  static final CasedSplitter TEKKEN =
      new CasedSplitter(CasedSplitter::isUpper, CasedSplitter::isLower, 1, false);

  @Override
  public int end(CharSequence text, int from, int to) {
    int first = Character.codePointAt(text, from);
    if (CharacterClasses.isNumber(first)) {
      return Llama3Splitter.numberEnd(text, from, to, digits);
    }
    int second = from + Character.charCount(first);
    int letters = lettersEnd(text, from, second, to);
    if (letters != NONE) {
      return contracts && letters < to && text.charAt(letters) == '\''
          ? CharacterClasses.contractionEnd(text, letters, to, true)
          : letters;
    }
    int symbols = first == ' ' ? second : from;
    if (symbols < to && CharacterClasses.isSymbol(Character.codePointAt(text, symbols))) {
      int end = CharacterClasses.runEnd(text, symbols, to, CharacterClasses::isSymbol);
      return CharacterClasses.runEnd(text, end, to, c -> CharacterClasses.isNewline(c) || c == '/');
    }
    return Llama3Splitter.spacesEnd(text, from, to);
  }

  /// The first two alternatives, each with its character before the letters if it has one, and then
  /// without: a mark may be that character and a letter's place.
  ///
  /// @param second where the second character begins
  private int lettersEnd(CharSequence text, int from, int second, int to) {
    int first = Character.codePointAt(text, from);
    boolean prefix = !CharacterClasses.isNewline(first) && !Character.isLetter(first);
    int end = prefix ? lowerEnd(text, second, to) : NONE;
    end = end == NONE ? lowerEnd(text, from, to) : end;
    end = end == NONE && prefix ? upperEnd(text, second, to) : end;
    return end == NONE ? upperEnd(text, from, to) : end;
  }

  /// `U*L+`: `U*` takes all it can. If no `L` follows, it gives back until the last one that is an
  /// `L` too, which then ends the word.
  private int lowerEnd(CharSequence text, int from, int to) {
    int upper = from;
    int lastOfBoth = NONE;
    while (upper < to) {
      int c = Character.codePointAt(text, upper);
      if (!isUpper.test(c)) {
        break;
      }
      upper += Character.charCount(c);
      lastOfBoth = isLower.test(c) ? upper : lastOfBoth;
    }
    int lower = CharacterClasses.runEnd(text, upper, to, isLower);
    return lower > upper ? lower : lastOfBoth;
  }

  /// `U+L*` where `U*L+` has found nothing, so that no `L` follows.
  private int upperEnd(CharSequence text, int from, int to) {
    int end = CharacterClasses.runEnd(text, from, to, isUpper);
    return end > from ? end : NONE;
  }

  private static boolean isUpper(int c) {
    return switch (Character.getType(c)) {
      case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> true;
      default -> isCaseless(c);
    };
  }

  private static boolean isLower(int c) {
    return Character.getType(c) == Character.LOWERCASE_LETTER || isCaseless(c);
  }

  private static boolean isCaseless(int c) {
    return switch (Character.getType(c)) {
      case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> true;
      default -> CharacterClasses.isMark(c);
    };
  }
}
