/// Text to token ids and back, and the frames of conversations, as a model file's metadata defines
/// them. Begin with [dev.quern.llama.tokenizer.Tokenizer].
///
/// The algorithms follow llama.cpp (`src/llama-vocab.cpp`), and so do the ids. Where a model file
/// is contradictory, llama.cpp often warns and goes on; this package stops with a
/// [dev.quern.llama.tokenizer.TokenizerException].
package dev.quern.llama.tokenizer;
