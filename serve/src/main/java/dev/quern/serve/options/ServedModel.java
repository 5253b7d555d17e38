package dev.quern.serve.options;

import dev.quern.llama.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Optional;

/// A model that a server has.
///
/// @param name by which requests name it
/// @param file a GGUF file or a model's folder; empty for the demo model
/// @since 0.1
/// @stability api
public record ServedModel(String name, Optional<Path> file) {
  public ServedModel {
    ServeException.require(
        "model",
        name,
        !name.isBlank() && name.chars().noneMatch(Character::isISOControl),
        "a name, as in NAME=FILE");
  }

  /// The demo model, named `demo`.
  public static ServedModel demo() {
    return new ServedModel("demo", Optional.empty());
  }

  /// `FILE`, whose name without `.gguf` is the model's, or `NAME=FILE`.
  public static ServedModel parse(String text) {
    int equals = text.indexOf('=');
    Path whole = Path.of(text);
    if (equals <= 0 || whole.toFile().exists()) { // a file may have such a name
      return new ServedModel(Checkpoint.nameOf(whole), Optional.of(whole));
    }
    return new ServedModel(
        text.substring(0, equals), Optional.of(Path.of(text.substring(equals + 1))));
  }
}
