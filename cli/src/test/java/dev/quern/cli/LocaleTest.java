package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/// The commands in locales whose digits, decimal points or letter cases are not English ones: what
/// is written is the same bytes, and no number takes other digits.
class LocaleTest {
  @TempDir static Path folder;
  private static Locale before;

  /// What the commands give in the root locale.
  private static String text;

  private static byte[] model;

  private static byte[] quantized(String name) throws IOException {
    Path file = folder.resolve("quantized-" + name + ".gguf");
    String in = folder.resolve("model-root.gguf").toString();
    return written(file, "quantize", "--in", in, "--scheme", "q8_0");
  }

  private static byte[] written(Path file, String... words) throws IOException {
    String[] out = {"--out", file.toString()};
    quern(0, Stream.of(words, out).flatMap(Stream::of).toArray(String[]::new));
    return Files.readAllBytes(file);
  }

  private static void requireAsciiDigits(String text) {
    List<String> others =
        text.codePoints()
            .filter(c -> Character.isDigit(c) && c > 127)
            .mapToObj(Character::toString)
            .toList();
    assertEquals(List.of(), others, text);
  }

  private record Result(String out, String err) {}

  private static Result quern(int expected, String... words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Main.run(
            words,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    Result result =
        new Result(out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    assertEquals(expected, code, result.err);
    return result;
  }
}
