package dev.quern.llama;

import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Optional;

/// What a model's file says about text.
///
/// @param tokenizer empty where it holds no vocabulary
/// @param chatTemplate Jinja, as the file has it
record Language(Optional<Tokenizer> tokenizer, Optional<String> chatTemplate) {}
