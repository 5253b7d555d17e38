package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.FilesByName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A folder that holds a model, and the way to its files: by plain names, to regular files that lie
/// inside it. Symbolic links may point within the folder, and, in a snapshot of the Hugging Face
/// cache, to where that cache keeps its files:
///
/// ```
/// CACHE/models--X/snapshots/REVISION/FILE     -> ../../blobs/ETAG        (REVISION or a folder in it
/// CACHE/models--X/blobs/ETAG                  -> ../../blobs/XX/HASH      is the model's folder)
/// CACHE/blobs/XX/HASH                         since blobs are shared between repositories
/// ```
///
/// Every step of a link must end in one of these three places.
///
/// @param path as the user gave it, for messages
/// @param real without links
/// @param blobs folders that links may point to beside it
/// @since 0.1
/// @stability api
public record ModelFolder(Path path, Path real, List<Path> blobs) implements FilesByName {
  private static final String SNAPSHOTS = "snapshots";
  private static final String REPOSITORY = "models--";
  private static final String BLOBS = "blobs";
  private static final int MAX_LINKS = 8;

  /// Folders between a snapshot and the model's, such as Meta's `original`.
  private static final int MAX_DEPTH = 2;

  public ModelFolder {
    blobs = List.copyOf(blobs);
  }

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
    return new ModelFolder(path, real, blobs(real));
  }

  /// Where the cache that the folder is a snapshot of keeps files; nowhere if it is none.
  private static List<Path> blobs(Path real) {
    Path snapshot = real;
    for (int depth = 0; depth <= MAX_DEPTH; depth++) {
      Path snapshots = snapshot.getParent();
      Path repository = snapshots == null ? null : snapshots.getParent();
      if (repository == null) {
        break;
      }
      if (snapshots.endsWith(SNAPSHOTS)) {
        List<Path> blobs = new ArrayList<>(List.of(repository.resolve(BLOBS)));
        Path name = repository.getFileName();
        if (name != null && name.toString().startsWith(REPOSITORY)) {
          blobs.add(repository.resolveSibling(BLOBS));
        }
        return blobs;
      }
      snapshot = snapshots;
    }
    return List.of();
  }

  @Override
  public boolean has(String name) {
    return Files.exists(path.resolve(name), java.nio.file.LinkOption.NOFOLLOW_LINKS);
  }

  /// The file of that name, as its real path.
  ///
  /// @throws CheckpointException where the name is no plain one, or the file is absent, not a
  ///   regular file, or outside the folder
  @Override
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
    return target(real.resolve(name), shown);
  }

  /// Follows links, step by step.
  private Path target(Path file, String shown) throws IOException {
    Path at = file;
    for (int links = 0; links <= MAX_LINKS; links++) {
      Path parent = at.getParent().toRealPath();
      if (!isInside(parent)) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: a link to %s, outside the model's folder, expected a file within it: copy it there",
                shown,
                Printable.escaped(parent.resolve(at.getFileName()).toString())));
      }
      at = parent.resolve(at.getFileName());
      if (!Files.isSymbolicLink(at)) {
        return at;
      }
      at = parent.resolve(Files.readSymbolicLink(at));
    }
    throw new CheckpointException(
        String.format(
            Locale.ROOT,
            "%s: more than %d links, expected a file: copy it there",
            shown,
            MAX_LINKS));
  }

  private boolean isInside(Path folder) {
    return folder.startsWith(real) || blobs.stream().anyMatch(folder::startsWith);
  }
}
