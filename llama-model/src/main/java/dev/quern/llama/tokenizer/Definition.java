package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What a model file says about its tokenizer, unchecked. Lists and arrays are empty where their
/// key is absent; every component is named like its key in [Keys].
///
/// @param tokens [vocabularySize]
/// @param types [vocabularySize], see [TokenType]
/// @param scores [vocabularySize] for `llama`, unused for `gpt2`
/// @param merges [merges] for `gpt2`, unused for `llama`
record Definition(
    Optional<String> model,
    Optional<String> pre,
    List<String> tokens,
    int[] types,
    float[] scores,
    List<String> merges,
    Ids ids,
    Flags flags) {

  /// Ids of tokens with a role.
  record Ids(
      OptionalLong bos,
      OptionalLong eos,
      OptionalLong eot,
      OptionalLong eom,
      OptionalLong unknown) {}

  /// How text is framed.
  record Flags(
      Optional<Boolean> addBos, Optional<Boolean> addEos, Optional<Boolean> addSpacePrefix) {}
}
