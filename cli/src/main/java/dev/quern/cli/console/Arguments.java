package dev.quern.cli.console;

import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/// The words of a command line, as they came.
public final class Arguments {
  private static final int SHOWN_CHARACTERS = 600;
  private static final String REPLACEMENT = "\uFFFD";
  private static final Path BYTES = Path.of("/proc/self/cmdline"); // where there is one

  private Arguments() {}

  /// Refuses words of which the JVM could not read some characters, and made U+FFFD of them.
  public static void requireWhole(String[] args) {
    requireWhole(args, System.getProperty("sun.jnu.encoding", "UTF-8"), () -> isUtf8(BYTES));
  }

  /// @param encoding what the JVM took words for
  /// @param utf8 whether they are UTF-8
  static void requireWhole(String[] args, String encoding, BooleanSupplier utf8) {
    for (int i = 0; i < args.length; i++) {
      if (!args[i].contains(REPLACEMENT)) {
        continue;
      }
      if (!encoding.equals("UTF-8")) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "argument %d: characters of %s are lost, since the locale's encoding is %s; set one with UTF-8, for example LC_ALL=C.UTF-8",
                i + 1,
                Printable.quoted(args[i]),
                encoding));
      }
      if (!utf8.getAsBoolean()) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "argument %d: %s is not UTF-8, expected text as the locale says",
                i + 1,
                Printable.quoted(args[i])));
      }
    }
  }

  private static boolean isUtf8(Path file) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file)));
      return true;
    } catch (CharacterCodingException _) {
      return false;
    } catch (IOException _) {
      return true; // not Linux: U+FFFD may be what the user typed
    }
  }

  /// A message about a word, on one line, and short where the word is not.
  public static String shown(String message) {
    String line = Printable.escaped(message);
    return line.length() <= SHOWN_CHARACTERS
        ? line
        : String.format(
            Locale.ROOT,
            "%s... (%d characters)",
            line.substring(0, SHOWN_CHARACTERS),
            line.length());
  }
}
