package dev.quern.cli.text;

import dev.quern.cli.console.Sha256;
import dev.quern.cli.console.UserException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/// The lines of a file of JSON objects, one after the other: the file may be longer than memory.
final class ByteLines implements AutoCloseable {
  /// Far above any context.
  private static final int MOST_BYTES = 16 << 20;

  private static final int HASH_BYTES = 8;

  private final Path file;
  private final InputStream in;
  private long number;
  private long end; // bytes of the lines so far

  ByteLines(Path file) throws IOException {
    this(file, Files.newInputStream(file));
  }

  /// @param file what messages call it
  ByteLines(Path file, InputStream in) {
    this.file = file;
    this.in = new BufferedInputStream(in, 1 << 16);
  }

  /// A line without its end, LF or CRLF.
  ///
  /// @param number from 1
  /// @param begin of its first byte in the file
  /// @param whole whether it has an end
  record Line(long number, long begin, byte[] bytes, boolean whole) {
    boolean isBlank() {
      for (byte b : bytes) {
        if (b != ' ' && b != '\t' && b != '\r') {
          return false; // also where it is no text
        }
      }
      return true;
    }

    /// @throws UserException if it is not UTF-8
    String text() {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        throw new UserException("not UTF-8, expected JSON in UTF-8", e);
      }
    }

    String hash() {
      return ByteLines.hash(bytes);
    }
  }

  /// Tells a line, or whatever, from others: the first 64 bits of its SHA-256, in hexadecimal.
  static String hash(byte[] bytes) {
    return HexFormat.of().formatHex(Sha256.digest().digest(bytes), 0, HASH_BYTES);
  }

  /// The next line; empty at the end.
  ///
  /// @throws UserException if it is longer than any prompt
  Optional<Line> next() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    final long begin = end;
    int b;
    while ((b = in.read()) != -1 && b != '\n') {
      if (bytes.size() == MOST_BYTES) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "%s: line %d: more than %d MiB, expected a line that a model could read",
                file,
                number + 1,
                MOST_BYTES >> 20));
      }
      bytes.write(b);
    }
    if (b == -1 && bytes.size() == 0) {
      return Optional.empty();
    }
    number++;
    end = begin + bytes.size() + (b == -1 ? 0 : 1);
    byte[] all = bytes.toByteArray();
    boolean carriage = all.length > 0 && all[all.length - 1] == '\r';
    return Optional.of(
        new Line(number, begin, carriage ? Arrays.copyOf(all, all.length - 1) : all, b != -1));
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
