package dev.quern.llama.checkpoint;

import dev.quern.llama.gguf.GgufFile;
import java.io.IOException;
import java.io.InputStream;

/// The model that Quern carries: 0.85 M parameters, little stories.
///
/// @since 0.1
/// @stability api
public final class DemoModel {
  /// What messages call it.
  public static final String NAME = "quern-demo.gguf";

  private DemoModel() {}

  /// Its file, open. It is in memory: a file to map would need a place that can be written.
  public static GgufFile open() throws IOException {
    try (InputStream in = DemoModel.class.getResourceAsStream("/dev/quern/llama/" + NAME)) {
      return GgufFile.of(NAME, in.readAllBytes());
    }
  }
}
