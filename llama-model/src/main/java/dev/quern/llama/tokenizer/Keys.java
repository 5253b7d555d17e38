package dev.quern.llama.tokenizer;

/// The GGUF metadata keys that describe a tokenizer (GGUF specification, "Tokenizer").
final class Keys {
  static final String MODEL = "tokenizer.ggml.model";
  static final String PRE = "tokenizer.ggml.pre";
  static final String TOKENS = "tokenizer.ggml.tokens";
  static final String TYPES = "tokenizer.ggml.token_type";
  static final String SCORES = "tokenizer.ggml.scores";
  static final String MERGES = "tokenizer.ggml.merges";
  static final String BOS = "tokenizer.ggml.bos_token_id";
  static final String EOS = "tokenizer.ggml.eos_token_id";
  static final String EOT = "tokenizer.ggml.eot_token_id";
  static final String EOM = "tokenizer.ggml.eom_token_id";
  static final String UNKNOWN = "tokenizer.ggml.unknown_token_id";
  static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
  static final String ADD_EOS = "tokenizer.ggml.add_eos_token";
  static final String ADD_SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";

  /// Quern's own, of what a `tokenizer.json` says and GGUF has no key for: see [SpacePrefix].
  static final String SPACE_PREFIX = "quern.tokenizer.space_prefix";

  /// Quern's own: ids of tokens that take the white space behind them along.
  static final String STRIPS_RIGHT = "quern.tokenizer.strips_right";

  static final String CHAT_TEMPLATE = "tokenizer.chat_template";

  /// Value of [#MODEL] where a file has no vocabulary.
  static final String NO_MODEL = "none";

  private Keys() {}
}
