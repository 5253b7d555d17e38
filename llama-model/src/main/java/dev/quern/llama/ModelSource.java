package dev.quern.llama;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.DemoModel;
import dev.quern.llama.tokenizer.ChatFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Where a model comes from.
///
/// @param name what messages call it: the path that it is loaded from, or the demo's name
/// @param opener opens it, as often as it is asked to
/// @param chatFormat the frame of conversations where nobody names one; empty: what it says itself
record ModelSource(String name, Opener opener, Optional<ChatFormat> chatFormat) {
  /// The model of `quern-demo-model`. It has Llama 3's tokens, but was taught no conversations.
  static final ModelSource DEMO =
      new ModelSource(DemoModel.NAME, Checkpoint::openDemo, Optional.of(ChatFormat.PLAIN));

  /// Opens a checkpoint.
  @FunctionalInterface
  interface Opener {
    Checkpoint open() throws IOException;
  }

  /// A GGUF file or a model's folder.
  static ModelSource of(Path file) {
    return new ModelSource(file.toString(), () -> Checkpoint.open(file), Optional.empty());
  }

  Checkpoint open() throws IOException {
    return opener.open();
  }
}
