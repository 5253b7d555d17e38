package dev.quern.cli.text;

import dev.quern.llama.Generation;

/// One continuation of the text.
///
/// @param seed of its random choices
/// @param text that was generated
record CompletedText(long seed, String text, Generation generation) {}
