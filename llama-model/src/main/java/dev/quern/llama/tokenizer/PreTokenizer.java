package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// What a byte-level vocabulary does with text before its bytes are merged, by the names that
/// `tokenizer.ggml.pre` has for it (`src/llama-vocab.cpp` of llama.cpp).
///
/// @param words how text is cut
/// @param composes whether text is put into Unicode's NFC first
/// @param ignoresMerges whether a word that is a token is taken as it is, whatever merges say
/// @param addsBos whether a text begins with BOS where the metadata does not say
record PreTokenizer(
    List<String> names, Words words, boolean composes, boolean ignoresMerges, boolean addsBos) {
  static final String LLAMA3 = "llama-bpe";
  static final String QWEN2 = "qwen2";
  static final String SMOLLM = "smollm";

  private static final Words BY_LLAMA3 = Llama3Splitter::wordEnd;
  private static final Words BY_QWEN2 = (text, from) -> Llama3Splitter.wordEnd(text, from, 1);

  private static final List<PreTokenizer> ALL =
      List.of(
          new PreTokenizer(
              List.of(
                  LLAMA3,
                  "llama3",
                  "llama-v3",
                  "falcon3",
                  "falcon-h1",
                  "pixtral",
                  "midm-2.0",
                  "lfm2",
                  "jina-v5-nano"),
              BY_LLAMA3,
              false,
              true,
              true),
          new PreTokenizer(List.of("smaug-bpe", "dbrx"), BY_LLAMA3, false, false, false),
          new PreTokenizer(List.of(QWEN2, "deepseek-r1-qwen"), BY_QWEN2, true, false, false),
          new PreTokenizer(List.of(SMOLLM), Gpt2Splitter::wordEnd, false, false, false));

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
}
