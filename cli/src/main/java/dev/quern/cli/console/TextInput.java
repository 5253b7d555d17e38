package dev.quern.cli.console;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// Text from a file or standard input: UTF-8, and whatever is none is an error with its place, for
/// a replacement character would be another text. A byte order mark at the start is no text; all
/// else is, carriage returns and control characters too.
public final class TextInput {
  /// Far above any context.
  private static final int MAX_BYTES = 16 << 20;

  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
  private static final Path STANDARD_INPUT = Path.of("-");

  private final InputStream in;
  private final String name;
  private long offset; // of the next byte

  /// @param name what messages call it
  TextInput(InputStream in, String name) {
    this.in = in;
    this.name = name;
  }

  /// Standard input.
  public static TextInput standard(Console console) {
    return new TextInput(console.in(), "standard input");
  }

  /// All of a file, or of standard input for `-`. One line end at the very end is the file's, as
  /// editors and `echo` make it, and no part of the text.
  public static String read(Path file, Console console) throws IOException {
    if (file.equals(STANDARD_INPUT)) {
      return standard(console).all();
    }
    try (InputStream in = Files.newInputStream(file)) {
      return new TextInput(in, file.toString()).all();
    }
  }

  /// All that there is; see [#read].
  public String all() throws IOException {
    byte[] bytes;
    try {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (IOException e) {
      throw unreadable(e);
    }
    if (bytes.length > MAX_BYTES) {
      throw tooLong();
    }
    String text = decode(bytes);
    String ended = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    return ended.length() < text.length() && ended.endsWith("\r")
        ? ended.substring(0, ended.length() - 1)
        : ended;
  }

  /// The next line without its end, LF or CRLF; empty where there is none. After an exception the
  /// next call goes on with the next line.
  ///
  /// @throws UserException if the line is not UTF-8, or too long
  public Optional<String> line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    boolean tooLong = false;
    int b;
    try {
      while ((b = in.read()) != -1 && b != '\n') {
        tooLong |= line.size() == MAX_BYTES;
        if (!tooLong) {
          line.write(b);
        }
      }
    } catch (IOException e) {
      throw unreadable(e);
    }
    if (tooLong) {
      throw tooLong();
    }
    if (b == -1 && line.size() == 0) {
      return Optional.empty();
    }
    String text = decode(line.toByteArray());
    offset++; // the line's end
    return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
  }

  private String decode(byte[] bytes) {
    boolean marked =
        offset == 0 && Arrays.equals(bytes, 0, Math.min(3, bytes.length), BYTE_ORDER_MARK, 0, 3);
    ByteBuffer rest = ByteBuffer.wrap(bytes).position(marked ? BYTE_ORDER_MARK.length : 0);
    CharBuffer text = CharBuffer.allocate(bytes.length); // a character takes at least a byte
    var decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    boolean wrong = decoder.decode(rest, text, true).isError();
    long wrongAt = offset + rest.position();
    offset += bytes.length;
    if (wrong) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: byte %d is not UTF-8 (0x%02X), expected text in UTF-8; convert it, for example with iconv",
              name,
              wrongAt,
              rest.get(rest.position())));
    }
    return text.flip().toString();
  }

  private IOException unreadable(IOException e) {
    return new IOException(name + ": can't be read: " + e.getMessage(), e);
  }

  private UserException tooLong() {
    return new UserException(
        String.format(
            Locale.ROOT,
            "%s: more than %d MiB, expected a text that a model could read",
            name,
            MAX_BYTES >> 20));
  }
}
