package dev.quern.demo;

import java.io.InputStream;

/// The demo model: 0.85 M parameters, little stories. `dev.quern.llama.LlamaModel.loadDemo` loads
/// it wherever this artifact is.
///
/// @since 0.1
/// @stability api
public final class DemoModelFile {
  /// What messages call it.
  public static final String NAME = "quern-demo.gguf";

  private DemoModelFile() {}

  /// The bytes of the GGUF file, 1.7 MB.
  public static InputStream open() {
    return DemoModelFile.class.getResourceAsStream(NAME);
  }
}
