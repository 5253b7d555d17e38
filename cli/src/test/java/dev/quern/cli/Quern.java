package dev.quern.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// A command that ran in this JVM.
record Quern(int code, String out, String err) {
  /// With nothing on standard input.
  static Quern run(String... args) {
    return run(InputStream.nullInputStream(), StandardStream.CLOSED, StandardStream.FILE, args);
  }

  static Quern withInput(String text, String... args) {
    return withInput(text.getBytes(StandardCharsets.UTF_8), args);
  }

  static Quern withInput(byte[] bytes, String... args) {
    return run(new ByteArrayInputStream(bytes), StandardStream.PIPE, StandardStream.FILE, args);
  }

  /// @param input what `in` looks like
  /// @param output what standard output looks like
  static Quern run(InputStream in, StandardStream input, StandardStream output, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run(args, new Console(in, out, err, input, output));
    return new Quern(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
