package dev.quern.llama.checkpoint;

import dev.quern.demo.DemoModelFile;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import java.io.IOException;
import java.io.InputStream;

/// The model of `quern-demo-model`, an artifact that a program adds or leaves out.
///
/// @since 0.1
/// @stability api
public final class DemoModel {
  /// What messages call it.
  public static final String NAME = DemoModelFile.NAME;

  private DemoModel() {}

  /// Its file, open. It is in memory: a file to map would need a place that can be written.
  ///
  /// @throws LlamaException if the artifact is not there
  public static GgufFile open() throws IOException {
    try (InputStream in = file()) {
      return GgufFile.of(NAME, in.readAllBytes());
    }
  }

  private static InputStream file() {
    try {
      return DemoModelFile.open();
    } catch (NoClassDefFoundError e) {
      throw new LlamaException(
          "the demo model is not there: it is in the artifact quern-demo-model. Remedy: add dev.quern:quern-demo-model (with a module-info: requires dev.quern.demo), or load a model's file",
          e);
    }
  }
}
