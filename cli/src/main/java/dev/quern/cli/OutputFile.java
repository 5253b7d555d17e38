package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// The checks of `--out` before long work.
final class OutputFile {
  private OutputFile() {}

  /// Refuses before the work what would fail, or destroy something, after it.
  ///
  /// @param bytes how large the file will be at most
  /// @param force whether an existing file may be replaced
  static void check(Path out, long bytes, boolean force) throws IOException {
    Path folder = out.toAbsolutePath().getParent();
    if (Files.exists(out) && !force) {
      throw new UserException(
          String.format(Locale.ROOT, "--out: %s exists; add --force to replace it", out));
    }
    if (folder == null || Files.isDirectory(out) || !Files.isDirectory(folder)) {
      throw new UserException(
          String.format(
              Locale.ROOT, "--out: %s, expected the name of a file in a folder that exists", out));
    }
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < bytes) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--out: %s needs %.0f MB and %s has %.0f MB free; make room, or name another folder",
              out,
              bytes / 1e6,
              folder,
              free / 1e6));
    }
  }
}
