package dev.quern.llama.text;

import java.util.HexFormat;
import java.util.Locale;

/// Text out of model files, made safe for one line of a terminal or log.
public final class Printable {
  private static final int MESSAGE_CHARACTERS = 80;
  private static final int LINE_CHARACTERS = 2000;

  private Printable() {}

  /// `text` in single quotes, escaped, cut to a length that suits a message.
  public static String quoted(String text) {
    return quoted(text, MESSAGE_CHARACTERS);
  }

  /// `text` in single quotes, escaped, cut after `maxCharacters` characters with a note of how many
  /// there are.
  public static String quoted(String text, int maxCharacters) {
    boolean cut = text.length() > maxCharacters;
    String shown = cut ? text.substring(0, maxCharacters) : text;
    String quoted = "'" + escaped(shown.replace("\\", "\\\\").replace("'", "\\'"));
    return cut
        ? String.format(Locale.ROOT, "%s...' (%d characters)", quoted, text.length())
        : quoted + "'";
  }

  /// The message of an exception: one line, escaped, of a length that a person reads, whatever came
  /// into it. The last line of defence: texts of a file are quoted where they are put in.
  public static String message(String text) {
    return cut(escaped(text), LINE_CHARACTERS);
  }

  /// `text`, cut after `maxCharacters` characters with a note of how many there are.
  public static String cut(String text, int maxCharacters) {
    return text.length() <= maxCharacters
        ? text
        : String.format(
            Locale.ROOT, "%s... (%d characters)", text.substring(0, maxCharacters), text.length());
  }

  /// `text` with everything escaped that could break the line or disguise what it says: controls
  /// (terminal sequences among them), line separators, and the format characters that reverse the
  /// direction of text.
  public static String escaped(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
              if (isPlain(c)) {
                out.appendCodePoint(c);
              } else {
                out.append("\\u").append(HexFormat.of().toHexDigits(c, c > 0xffff ? 6 : 4));
              }
            }
          }
        });
    return out.toString();
  }

  private static boolean isPlain(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
