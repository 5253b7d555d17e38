package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// A way to cut text into words that has Llama 3's regular expression ([Llama3Splitter]), by the
/// names that `tokenizer.ggml.pre` has for it (`src/llama-vocab.cpp` of llama.cpp).
///
/// @param ignoresMerges whether a word that is a token is taken as it is, whatever merges say
/// @param addsBos whether a text begins with BOS where the metadata does not say
record PreTokenizer(List<String> names, boolean ignoresMerges, boolean addsBos) {
  private static final List<PreTokenizer> ALL =
      List.of(
          new PreTokenizer(
              List.of(
                  "llama-bpe",
                  "llama3",
                  "llama-v3",
                  "falcon3",
                  "falcon-h1",
                  "pixtral",
                  "midm-2.0",
                  "lfm2",
                  "jina-v5-nano"),
              true,
              true),
          new PreTokenizer(List.of("smaug-bpe", "dbrx"), false, false));

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
