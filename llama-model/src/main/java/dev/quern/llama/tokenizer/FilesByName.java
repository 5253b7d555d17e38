package dev.quern.llama.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// The files of a model's folder, by their plain names.
///
/// @since 0.1
/// @stability api
public interface FilesByName {
  /// Whether there is one of that name, sound or not.
  boolean has(String name);

  /// The file of that name.
  ///
  /// @throws RuntimeException of the folder's kind, in one line, where there is no sound one
  Path file(String name) throws IOException;

  /// The file of that name, if there is one.
  ///
  /// @throws RuntimeException as [#file]
  default Optional<Path> find(String name) throws IOException {
    return has(name) ? Optional.of(file(name)) : Optional.empty();
  }
}
