package dev.quern.provider.x86.asm;

import dev.quern.testing.LeftOut;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// GNU `as`, where it is: the other assembler, whose bytes ours are compared with.
final class GnuAs {
  private static final Pattern DIGITS = Pattern.compile("\\d+");
  private static final Pattern HEX = Pattern.compile("[0-9A-F]{2,8}");
  private static final Pattern WITH_OFFSET = Pattern.compile("\\s*\\d+ [0-9a-f]{4,} ");

  private GnuAs() {}

  /// The bytes that it makes of each line, in hexadecimal, by the line's number from 1 on.
  ///
  /// @param folder for the source and what comes of it
  static Map<Integer, String> bytesOfLines(String source, Path folder) throws Exception {
    Path text = Files.writeString(folder.resolve("code.s"), source);
    Process as =
        new ProcessBuilder(
                command(),
                "--64",
                "-aln",
                "--listing-lhs-width=4",
                "--listing-lhs-width2=4",
                "--listing-cont-lines=1000",
                "-o",
                folder.resolve("code.o").toString(),
                text.toString())
            .redirectOutput(folder.resolve("listing").toFile())
            .redirectError(folder.resolve("errors").toFile())
            .start();
    if (!as.waitFor(2, TimeUnit.MINUTES)) {
      as.destroyForcibly();
      throw new IOException("as took more than two minutes");
    }
    String errors = Files.readString(folder.resolve("errors"));
    if (as.exitValue() != 0) {
      throw new IOException("as refuses the text:\n" + firstLines(errors, source));
    }
    Map<Integer, String> bytes = new HashMap<>();
    for (String line : Files.readAllLines(folder.resolve("listing"))) {
      // "  12 0005 C5FC58C1 ", and "  12      58C1" where one line does not hold all
      String[] columns = line.strip().split("\\s+");
      if (columns.length >= 2 && DIGITS.matcher(columns[0]).matches()) {
        int first = WITH_OFFSET.matcher(line).lookingAt() ? 2 : 1;
        StringBuilder hex = new StringBuilder();
        for (int i = first; i < columns.length && HEX.matcher(columns[i]).matches(); i++) {
          hex.append(columns[i]);
        }
        bytes.merge(
            Integer.parseInt(columns[0]), hex.toString().toLowerCase(Locale.ROOT), String::concat);
      }
    }
    return bytes;
  }

  private static String firstLines(String errors, String source) {
    List<String> lines = source.lines().toList();
    StringBuilder first = new StringBuilder();
    for (String error : errors.lines().limit(12).toList()) {
      first.append(error);
      String[] parts = error.split(":");
      if (parts.length > 1 && parts[1].matches("\\d+")) {
        first.append("   | ").append(lines.get(Integer.parseInt(parts[1]) - 1).strip());
      }
      first.append('\n');
    }
    return first.toString();
  }

  /// Its path. Skips the test, and says why, where there is none.
  private static String command() {
    String path = System.getenv().getOrDefault("PATH", "");
    for (String folder : path.split(File.pathSeparator)) {
      Path file = Path.of(folder, "as");
      if (!folder.isEmpty() && Files.isExecutable(file) && isGnuForX86(file)) {
        return file.toString();
      }
    }
    LeftOut.lacking(
        GnuAs.class,
        "no GNU as for x86-64 on PATH, so encodings have no second witness (Debian: binutils)");
    throw new AssertionError();
  }

  private static boolean isGnuForX86(Path file) {
    try {
      Process version = new ProcessBuilder(file.toString(), "--version").start();
      String text = new String(version.getInputStream().readAllBytes());
      return text.contains("GNU assembler") && text.contains("x86_64");
    } catch (IOException e) {
      System.out.println(file + ": " + e);
      return false;
    }
  }
}
