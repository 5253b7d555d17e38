package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// A folder that holds a model, and the way to its files: by plain names, to regular files that lie
/// inside it. Symbolic links may point within the folder, and, in a snapshot of the Hugging Face
/// cache (`models--X/snapshots/REVISION`), to `models--X/blobs`, where its files really are.
///
/// @param path as the user gave it, for messages
public record ModelFolder(Path path, Path real, Optional<Path> blobs) {

  /// @throws CheckpointException where there is no such folder
  public static ModelFolder open(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: not a folder, expected one with a model's files",
              Printable.escaped(path.toString())));
    }
    Path real = path.toRealPath();
    Path parent = real.getParent();
    boolean snapshot =
        parent != null
            && parent.getParent() != null
            && parent.getFileName().toString().equals("snapshots");
    Path blobs = snapshot ? parent.resolveSibling("blobs") : null;
    return new ModelFolder(path, real, Optional.ofNullable(blobs).filter(Files::isDirectory));
  }

  /// Whether the folder has an entry of that name, sound or not.
  public boolean has(String name) {
    return Files.exists(path.resolve(name), java.nio.file.LinkOption.NOFOLLOW_LINKS);
  }

  /// The file of that name, as its real path.
  ///
  /// @throws CheckpointException where the name is no plain one, or the file is absent, not a
  ///   regular file, or outside the folder
  public Path file(String name) throws IOException {
    if (name.isEmpty()
        || name.equals(".")
        || name.equals("..")
        || name.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ')) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: file name %s, expected a plain name: a model's files lie in its own folder",
              Printable.escaped(path.toString()),
              Printable.quoted(name)));
    }
    Path file = path.resolve(name);
    String shown = Printable.escaped(file.toString());
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: %s, expected a file: get it from where the model came from",
              shown,
              Files.exists(file) ? "not a regular file" : "no such file"));
    }
    Path target = file.toRealPath();
    if (!target.startsWith(real) && blobs.filter(target::startsWith).isEmpty()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: a link to %s, outside the model's folder, expected a file within it: copy it there",
              shown,
              Printable.escaped(target.toString())));
    }
    return target;
  }

  /// The file of that name if the folder has one.
  public Optional<Path> find(String name) throws IOException {
    return has(name) ? Optional.of(file(name)) : Optional.empty();
  }
}
