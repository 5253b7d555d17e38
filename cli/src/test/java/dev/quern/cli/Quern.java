package dev.quern.cli;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.StandardStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// A command that ran in this JVM.
public record Quern(int code, String out, String err) {
  /// With nothing on standard input.
  public static Quern run(String... args) {
    return run(InputStream.nullInputStream(), StandardStream.CLOSED, StandardStream.FILE, args);
  }

  public static Quern withInput(String text, String... args) {
    return withInput(text.getBytes(StandardCharsets.UTF_8), args);
  }

  public static Quern withInput(byte[] bytes, String... args) {
    return run(new ByteArrayInputStream(bytes), StandardStream.PIPE, StandardStream.FILE, args);
  }

  /// @param input what `in` looks like
  /// @param output what standard output looks like
  public static Quern run(
      InputStream in, StandardStream input, StandardStream output, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = run(new Console(in, out, err, input, output), args);
    return new Quern(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /// Returns the exit code.
  public static int run(Console console, String... args) {
    return Main.run(args, console);
  }
}
