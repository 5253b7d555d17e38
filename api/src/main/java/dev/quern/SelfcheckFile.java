package dev.quern;

import dev.quern.files.NewFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The text of a results file of `quern selfcheck`, UTF-8:
///
/// ```
/// quern selfcheck 1
/// # a comment
/// [declined]
/// provider = vector
/// operator = linear
/// ...
/// ```
///
/// One section a failure, with a line for each of [SelfcheckFailure]'s components. Anything else is
/// an error: a file that can't be understood must not let a wrong kernel run.
final class SelfcheckFile {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_SHOWN = 80; // characters of a line that can't be understood
  private static final String FIRST = "quern selfcheck 1";
  private static final String SECTION = "[declined]";
  private static final String HELP =
      """
      # Kernel variants that gave wrong results once the JVM had compiled them. Each section keeps one
      # from running where the JVM, the CPU and the provider's JAR are these.
      # Check again: quern selfcheck. Forget: quern selfcheck --clear, or delete this file.
      """;
  private static final List<String> KEYS =
      List.of("provider", "operator", "subject", "variant", "jdk", "cpu", "jar", "because");

  private SelfcheckFile() {}

  /// The failures in a file, none if there is no file.
  ///
  /// @throws SelectionException if it can't be read or understood
  static List<SelfcheckFailure> read(Path file) {
    List<String> lines;
    try {
      if (!isThere(file)) {
        return List.of();
      }
      lines = lines(file);
    } catch (IOException e) {
      throw new SelectionException(
          String.format(
              Locale.ROOT,
              "selfcheck results %s can't be read: %s; repair it, delete it, or name another with -D%s",
              file,
              e,
              Selfcheck.FILE),
          e);
    }
    List<Map<String, String>> sections = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (i == 0 ? line.equals(FIRST) : line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      if (i > 0 && line.equals(SECTION)) {
        sections.add(new LinkedHashMap<>());
        continue;
      }
      int equals = line.indexOf(" = ");
      String key = equals < 0 ? "" : line.substring(0, equals).strip();
      if (i == 0
          || sections.isEmpty()
          || !KEYS.contains(key)
          || sections.getLast().put(key, line.substring(equals + 3).strip()) != null) {
        throw corrupt(file, i + 1, i == 0 ? "'" + FIRST + "'" : "one of " + KEYS, line);
      }
    }
    if (lines.isEmpty()) {
      throw corrupt(file, 1, "'" + FIRST + "'", "");
    }
    return sections.stream().map(s -> failure(file, s)).toList();
  }

  /// Whether there is something to read, replace or delete: a regular file, or a link to one. A
  /// FIFO would block whoever opens it, a device never ends, and replacing one takes it from all.
  ///
  /// @throws IOException if it is something else
  static boolean isThere(Path file) throws IOException {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file, BasicFileAttributes.class);
    } catch (NoSuchFileException _) {
      return false;
    }
    if (!attributes.isRegularFile()) {
      throw new FileSystemException(file.toString(), null, "not a regular file");
    }
    return true;
  }

  private static List<String> lines(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    }
    if (bytes.length > MAX_BYTES) {
      throw new FileSystemException(
          file.toString(),
          null,
          String.format(Locale.ROOT, "more than %d bytes, which no results take", MAX_BYTES));
    }
    return StandardCharsets.UTF_8
        .newDecoder()
        .decode(ByteBuffer.wrap(bytes))
        .toString()
        .lines()
        .toList();
  }

  private static SelfcheckFailure failure(Path file, Map<String, String> section) {
    List<String> missing = KEYS.stream().filter(k -> !section.containsKey(k)).toList();
    List<String> operators = Operator.values().stream().map(Operator::id).toList();
    if (!missing.isEmpty() || !operators.contains(section.get("operator"))) {
      throw new SelectionException(
          String.format(
              Locale.ROOT,
              "selfcheck results %s: section %s, expected %s and an operator of %s; delete the file, then run: quern selfcheck",
              file,
              shown(section.toString()),
              KEYS,
              operators));
    }
    return new SelfcheckFailure(
        section.get("provider"),
        Operator.byId(section.get("operator")).orElseThrow(),
        section.get("subject"),
        section.get("variant"),
        section.get("jdk"),
        section.get("cpu"),
        section.get("jar"),
        section.get("because"));
  }

  private static SelectionException corrupt(Path file, int number, String expected, String actual) {
    return new SelectionException(
        String.format(
            Locale.ROOT,
            "selfcheck results %s, line %d: '%s', expected %s; delete the file, then run: quern selfcheck",
            file,
            number,
            shown(actual),
            expected));
  }

  /// What a message may hold of a file that may be anything.
  private static String shown(String line) {
    String start = line.length() > MAX_SHOWN ? line.substring(0, MAX_SHOWN) + "..." : line;
    return start.replaceAll("\\p{C}", "?");
  }

  /// Writes a file in one step, or deletes it if there is nothing to write.
  static void write(Path file, List<SelfcheckFailure> failures) throws IOException {
    if (failures.isEmpty()) {
      delete(file);
      return;
    }
    StringBuilder text = new StringBuilder(FIRST).append('\n').append(HELP);
    for (SelfcheckFailure f : failures) {
      List<String> values =
          List.of(
              f.provider(),
              f.operator().id(),
              f.subject(),
              f.variant(),
              f.jdk(),
              f.cpu(),
              f.jar(),
              f.because());
      text.append('\n').append(SECTION).append('\n');
      for (int i = 0; i < KEYS.size(); i++) {
        text.append(String.format(Locale.ROOT, "%-8s = %s%n", KEYS.get(i), values.get(i)));
      }
    }
    Path parent = file.toAbsolutePath().getParent();
    Files.createDirectories(parent);
    NewFile.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /// Deletes the file, if there is one: what could not have been written is not deleted either.
  ///
  /// @return whether there was one
  static boolean delete(Path file) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    NewFile.check(file, true);
    return Files.deleteIfExists(file);
  }
}
