package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
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
  ///
  /// @param ends further tokens that end a generation
  record Ids(
      OptionalLong bos,
      OptionalLong eos,
      OptionalLong eot,
      OptionalLong eom,
      OptionalLong unknown,
      List<Long> ends) {}

  /// How text is framed.
  record Flags(
      Optional<Boolean> addBos, Optional<Boolean> addEos, Optional<Boolean> addSpacePrefix) {}

  static Definition of(GgufMetadata metadata) {
    return new Definition(
        metadata.string(Keys.MODEL),
        metadata.string(Keys.PRE),
        metadata.strings(Keys.TOKENS),
        metadata.ints(Keys.TYPES),
        metadata.floats(Keys.SCORES),
        metadata.strings(Keys.MERGES),
        new Ids(
            metadata.integer(Keys.BOS),
            metadata.integer(Keys.EOS),
            metadata.integer(Keys.EOT),
            metadata.integer(Keys.EOM),
            metadata.integer(Keys.UNKNOWN),
            List.of()),
        new Flags(
            metadata.bool(Keys.ADD_BOS),
            metadata.bool(Keys.ADD_EOS),
            metadata.bool(Keys.ADD_SPACE_PREFIX)));
  }
}
