package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// What a byte-level vocabulary does with text before its bytes are merged, by the names that
/// `tokenizer.ggml.pre` has for it (`src/llama-vocab.cpp` of llama.cpp, all names of a kind).
///
/// @param steps how text is cut, and the pieces of each step by the next one
/// @param composes whether text is put into Unicode's NFC first
/// @param ignoresMerges whether a word that is a token is taken as it is, whatever merges say
/// @param addsBos whether a text begins with BOS where the metadata does not say
record PreTokenizer(
    List<String> names,
    List<Words> steps,
    boolean composes,
    boolean ignoresMerges,
    boolean addsBos) {
  static final String LLAMA3 = "llama-bpe";

  static final List<Words> BY_LLAMA3 = List.of(Llama3Splitter::wordEnd);
  static final List<Words> BY_QWEN2 =
      List.of((text, from, to) -> Llama3Splitter.wordEnd(text, from, to, 1));
  static final List<Words> BY_GPT2 = List.of(Gpt2Splitter::wordEnd);
  static final List<Words> BY_DIGITS_GPT2 = List.of(PreTokenizer::numberApart, BY_GPT2.getFirst());
  static final List<Words> BY_TEKKEN = List.of(CasedSplitter.TEKKEN);
  static final List<Words> BY_GPT4O = List.of(CasedSplitter.GPT4O);

  /// What llama.cpp does where a converter did not know the model. The expressions are
  /// `[\p{P}$+<=>^~|]+`, GPT-2's, `\p{N}+` and `[0-9][0-9][0-9]`.
  private static final List<Words> BY_DEFAULT =
      List.of(
          PreTokenizer::punctuationOrNone,
          BY_GPT2.getFirst(),
          PreTokenizer::numbersOrNone,
          PreTokenizer::threeDigits);

  private static final List<PreTokenizer> ALL =
      List.of(
          row(
              BY_LLAMA3,
              false,
              true,
              true,
              LLAMA3,
              "llama3",
              "llama-v3",
              "falcon3",
              "falcon-h1",
              "pixtral",
              "midm-2.0",
              "lfm2",
              "jina-v5-nano"),
          row(BY_LLAMA3, false, false, false, "smaug-bpe", "dbrx", "glm4", "chatglm-bpe"),
          row(BY_QWEN2, true, false, false, "qwen2", "deepseek-r1-qwen"),
          row(
              BY_QWEN2,
              false,
              false,
              false,
              "stablelm2",
              "kormo",
              "f2llmv2",
              "megrez",
              "hunyuan",
              "solar-open",
              "grok-2"),
          row(
              BY_DIGITS_GPT2,
              false,
              false,
              false,
              "smollm",
              "refact",
              "starcoder",
              "command-r",
              "codeshell",
              "exaone",
              "minerva-7b",
              "mellum2"),
          row(
              BY_GPT2,
              false,
              false,
              false,
              "gpt-2",
              "phi-2",
              "mpt",
              "olmo",
              "jais",
              "trillion",
              "granite-docling",
              "gigachat",
              "a.x-4.0",
              "mellum",
              "exaone4"),
          row(BY_TEKKEN, false, true, true, "tekken"),
          row(BY_GPT4O, false, false, false, "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"),
          row(BY_DEFAULT, false, false, false, "default"));

  private static PreTokenizer row(
      List<Words> steps,
      boolean composes,
      boolean ignoresMerges,
      boolean addsBos,
      String... names) {
    return new PreTokenizer(List.of(names), steps, composes, ignoresMerges, addsBos);
  }

  static List<PreTokenizer> all() {
    return ALL;
  }

  /// The one that does just that, if there is one.
  static Optional<PreTokenizer> of(List<Words> steps, boolean composes, boolean ignoresMerges) {
    return ALL.stream()
        .filter(pre ->
            pre.steps() == steps
                && pre.composes() == composes
                && pre.ignoresMerges() == ignoresMerges)
        .findFirst();
  }

  /// @throws TokenizerException where none is named, or one that cuts words in another way
  static PreTokenizer byName(Optional<String> name) {
    return ALL.stream()
        .filter(pre -> name.isPresent() && pre.names().contains(name.get()))
        .findFirst()
        .orElseThrow(() ->
            new TokenizerException(
                String.format(
                    Locale.ROOT,
                    "%s%s, expected one of %s; if you know that words are cut as by one of these, name it with --pre-tokenizer (LoadOptions.withPreTokenizer)",
                    Keys.PRE,
                    name.map(n -> " = " + TokenizerException.quote(n)).orElse(" is missing"),
                    ALL.stream()
                        .map(PreTokenizer::names)
                        .flatMap(List::stream)
                        .collect(Collectors.joining(", ", "[", "]")))));
  }

  /// Takes the words of a text, one after the other.
  @FunctionalInterface
  interface Sink {
    void word(int from, int to);
  }

  /// The words that byte-pair encoding never crosses. They follow one another without gaps.
  void split(CharSequence text, Sink out) {
    split(text, 0, text.length(), 0, out);
  }

  private void split(CharSequence text, int from, int to, int step, Sink out) {
    if (step == steps.size()) {
      out.word(from, to);
      return;
    }
    for (int at = from, end; at < to; at = end) {
      end = steps.get(step).end(text, at, to);
      split(text, at, end, step + 1, out);
    }
  }

  /// `\p{N}`, and what lies between.
  private static int numberApart(CharSequence text, int from, int to) {
    int first = Character.codePointAt(text, from);
    return CharacterClasses.isNumber(first)
        ? from + Character.charCount(first)
        : CharacterClasses.runEnd(text, from, to, c -> !CharacterClasses.isNumber(c));
  }

  private static int numbersOrNone(CharSequence text, int from, int to) {
    boolean number = CharacterClasses.isNumber(Character.codePointAt(text, from));
    return CharacterClasses.runEnd(text, from, to, c -> CharacterClasses.isNumber(c) == number);
  }

  private static int punctuationOrNone(CharSequence text, int from, int to) {
    boolean member = isPunctuationOrSign(Character.codePointAt(text, from));
    return CharacterClasses.runEnd(text, from, to, c -> isPunctuationOrSign(c) == member);
  }

  private static boolean isPunctuationOrSign(int c) {
    return "$+<=>^~|".indexOf(c) >= 0 || CharacterClasses.isPunctuation(c);
  }

  /// Three digits of ASCII, and what lies between.
  private static int threeDigits(CharSequence text, int from, int to) {
    int digits = 0;
    for (int at = from; at < to; at++) {
      digits = text.charAt(at) >= '0' && text.charAt(at) <= '9' ? digits + 1 : 0;
      if (digits == 3) {
        return at == from + 2 ? at + 1 : at - 2;
      }
    }
    return to;
  }
}
