package dev.quern.text;

import java.util.HexFormat;
import java.util.Locale;

/// Words of foreign code, made fit for a line of a table, a log or a terminal.
public final class OneLine {
  /// Enough for a reason with a few paths in it.
  private static final int CHARACTERS = 1_200;

  private OneLine() {}

  /// The text in one line: white space becomes single blanks, what a terminal might obey or hide
  /// (controls, marks that turn the direction of writing) its number, and what is too long is cut.
  public static String of(String text) {
    return of(text, CHARACTERS);
  }

  /// @param characters at most that many of the text
  public static String of(String text, int characters) {
    if (text == null) {
      return "null";
    }
    // Cut first: the rest may be megabytes.
    String head = text.length() > characters ? text.substring(0, characters) : text;
    StringBuilder line = new StringBuilder(head.length());
    head.strip().codePoints().forEach(c -> append(line, c));
    return head.length() == text.length()
        ? line.toString()
        : line.append(String.format(Locale.ROOT, "... (%d characters)", text.length())).toString();
  }

  private static void append(StringBuilder line, int codePoint) {
    if (Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint)) {
      if (line.isEmpty() || line.charAt(line.length() - 1) != ' ') {
        line.append(' ');
      }
      return;
    }
    switch (Character.getType(codePoint)) {
      case Character.CONTROL, Character.FORMAT, Character.SURROGATE ->
          line.append("\\u").append(HexFormat.of().toHexDigits(codePoint, 4));
      default -> line.appendCodePoint(codePoint);
    }
  }
}
