package dev.quern.files;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// A folder of the user's own for files of the moment. It is gone, with the files in it, after
/// [#close()] or a signal that ends the JVM.
public final class TempFolder implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.quern.files");

  private final Thread hook = new Thread(this::abandon, "quern-temp");
  private Path path; // null until made and once deleted

  private TempFolder() {}

  /// Makes a folder in the system's place for temporary files.
  ///
  /// @param prefix of its name
  /// @throws OutputException if there is no such place, or nothing can be written there
  public static TempFolder create(String prefix) throws OutputException {
    TempFolder folder = new TempFolder();
    Runtime.getRuntime().addShutdownHook(folder.hook);
    try {
      folder.make(prefix);
      return folder;
    } catch (IOException e) {
      folder.removeHook();
      String where = e instanceof FileSystemException f ? f.getFile() : "";
      String reason =
          switch (e) {
            case NoSuchFileException _ -> "no such folder";
            case FileSystemException f when f.getReason() != null -> f.getReason();
            default -> e.toString();
          };
      throw new OutputException(
          String.format(
              Locale.ROOT,
              "temporary folder %s can't be made: %s; name a place that can be written with -Djava.io.tmpdir=FOLDER",
              where,
              reason),
          e);
    }
  }

  /// The path of a file in it, which need not exist.
  public Path file(String name) {
    return path.resolve(name);
  }

  /// Deletes the folder and its files.
  @Override
  public void close() throws IOException {
    try {
      delete();
    } finally {
      removeHook();
    }
  }

  private synchronized void make(String prefix) throws IOException {
    path = Files.createTempDirectory(prefix);
  }

  private synchronized void delete() throws IOException {
    if (path == null) {
      return;
    }
    List<Path> files;
    try (Stream<Path> entries = Files.list(path)) {
      files = entries.toList();
    }
    for (Path file : files) {
      Files.deleteIfExists(file); // a writer may delete its part meanwhile
    }
    Files.delete(path);
    path = null;
  }

  /// The JVM is ending, and its threads may go on making files for a moment.
  private void abandon() {
    IOException last = null;
    for (int tries = 0; tries < 10; tries++) {
      try {
        delete();
        return;
      } catch (IOException e) {
        last = e;
      }
    }
    IOException why = last;
    LOG.log(System.Logger.Level.WARNING, () -> path + " can't be deleted: " + why);
  }

  private void removeHook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The JVM is ending: the hook runs, and finds nothing left to do.
    }
  }
}
