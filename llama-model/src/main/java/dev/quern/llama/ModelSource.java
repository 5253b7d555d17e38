package dev.quern.llama;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.DemoModel;
import java.io.IOException;
import java.nio.file.Path;

/// Where a model comes from.
///
/// @param name what messages call it: the path that it is loaded from, or the demo's name
/// @param opener opens it, as often as it is asked to
record ModelSource(String name, Opener opener) {
  /// The model of `quern-demo-model`.
  static final ModelSource DEMO = new ModelSource(DemoModel.NAME, Checkpoint::openDemo);

  /// Opens a checkpoint.
  @FunctionalInterface
  interface Opener {
    Checkpoint open() throws IOException;
  }

  /// A GGUF file or a model's folder.
  static ModelSource of(Path file) {
    return new ModelSource(file.toString(), () -> Checkpoint.open(file));
  }

  Checkpoint open() throws IOException {
    return opener.open();
  }
}
