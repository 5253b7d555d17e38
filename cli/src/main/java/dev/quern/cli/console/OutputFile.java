package dev.quern.cli.console;

import dev.quern.files.NewFile;
import dev.quern.files.OutputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;

/// A file that a command writes, see [NewFile].
///
/// @param option that names it
/// @param path null where the option was not given: then nothing is written
public record OutputFile(String option, Path path) {
  private static final Pattern SHARD = Pattern.compile("(.*)-\\d{5}-of-\\d{5}\\.gguf");

  /// Paths of options as they were typed: a slash at the end, which [Path] drops, says folder.
  public static final class Name implements CommandLine.ITypeConverter<Path> {
    @Override
    public Path convert(String value) {
      if (value.isEmpty() || value.endsWith("/") || value.endsWith("\\")) {
        throw new CommandLine.TypeConversionException(
            String.format(Locale.ROOT, "'%s', expected the name of a file", value));
      }
      return Path.of(value);
    }
  }

  /// Refuses before the work what would fail, or destroy something, after it.
  ///
  /// @param inputs what the command reads: files, models' first shards, models' folders; null where
  ///   an option was not given
  /// @throws UserException if an output can't be written, is one of the inputs by whatever name, or
  ///   is another output
  public static void check(List<OutputFile> outputs, List<Path> inputs) throws IOException {
    List<OutputFile> given = outputs.stream().filter(o -> o.path != null).toList();
    for (int i = 0; i < given.size(); i++) {
      OutputFile one = given.get(i);
      one.check(true, inputs);
      for (OutputFile other : given.subList(0, i)) {
        if (one.isSameAs(other)) {
          throw one.problem(
              String.format(
                  Locale.ROOT,
                  "%s is what %s names, expected another file",
                  one.path,
                  other.option));
        }
      }
    }
  }

  /// [#check(List, List)] for one output.
  ///
  /// @param replace whether an existing file may be replaced
  public void check(boolean replace, List<Path> inputs) throws IOException {
    if (Files.exists(path)) {
      for (Path input : inputs) {
        if (input != null && isPartOf(path, input)) {
          throw problem(
              String.format(
                  Locale.ROOT, "%s is read, or part of the model itself; name another file", path));
        }
      }
      if (!replace && Files.isRegularFile(path)) {
        throw problem(path + " exists; add --force to replace it");
      }
    }
    try {
      NewFile.check(path, replace);
    } catch (OutputException e) {
      throw problem(e.getMessage());
    }
  }

  /// Refuses what will not fit on the disk.
  ///
  /// @param bytes how large the file will be at most
  public void checkRoom(long bytes) {
    Path folder = path.toAbsolutePath().getParent();
    long free = free(folder);
    if (free < bytes) {
      throw problem(
          String.format(
              Locale.ROOT,
              "%s needs %.0f MB and %s has %.0f MB free; make room, or name another folder",
              path,
              bytes / 1e6,
              folder,
              free / 1e6));
    }
  }

  /// Writes the file, if the option was given; one of that name is replaced.
  public void write(byte[] bytes) {
    if (path == null) {
      return;
    }
    try {
      NewFile.write(path, bytes);
    } catch (OutputException e) {
      throw new UserException(option + ": " + e.getMessage(), e);
    }
  }

  /// Writes a text in UTF-8, which is made only if the option was given.
  public void write(Supplier<String> text) {
    if (path != null) {
      write(
          text.get().getBytes(StandardCharsets.UTF_8)); // a lone surrogate becomes a question mark
    }
  }

  /// Bytes; the largest number where the system does not say, as some network and user-space file
  /// systems, and containers without a table of mounts. Writing then finds out.
  private static long free(Path folder) {
    try {
      FileStore store = Files.getFileStore(folder);
      long free = store.getUsableSpace();
      return store.getTotalSpace() <= 0 || free < 0 ? Long.MAX_VALUE : free;
    } catch (IOException | UnsupportedOperationException _) {
      return Long.MAX_VALUE;
    }
  }

  private boolean isSameAs(OutputFile other) throws IOException {
    return path.getFileName().equals(other.path.getFileName())
        && Files.isSameFile(
            path.toAbsolutePath().getParent(), other.path.toAbsolutePath().getParent());
  }

  /// Whether a file is another one, a shard of the same model, or in a model's folder: by whatever
  /// name, link or hard link.
  private static boolean isPartOf(Path file, Path input) throws IOException {
    if (!Files.exists(input)) {
      return false; // whoever reads it says so
    }
    if (Files.isSameFile(file, input)) {
      return true;
    }
    if (Files.isDirectory(input)) {
      return isAmong(file, input, ".*");
    }
    Matcher shard = SHARD.matcher(input.getFileName().toString());
    return shard.matches()
        && isAmong(
            file,
            input.toAbsolutePath().getParent(),
            Pattern.quote(shard.group(1)) + "-\\d{5}-of-\\d{5}\\.gguf");
  }

  private static boolean isAmong(Path file, Path folder, String names) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.toList()) {
        if (entry.getFileName().toString().matches(names)
            && Files.exists(entry)
            && Files.isSameFile(file, entry)) {
          return true;
        }
      }
      return false;
    }
  }

  private UserException problem(String message) {
    return new UserException(option + ": " + message);
  }
}
