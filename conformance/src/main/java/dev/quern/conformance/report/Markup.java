package dev.quern.conformance.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/// Writes elements and escaped text that are XML and HTML at once: every element that isn't void
/// gets an end tag, attributes are quoted, and characters that XML forbids become U+FFFD.
final class Markup {
  /// Elements that HTML knows no end tag of.
  private static final Set<String> VOID = Set.of("br", "hr", "input", "meta", "wbr");

  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /// Begins an element.
  ///
  /// @param namesAndValues attributes; one whose value is empty is left out
  Markup start(String element, String... namesAndValues) {
    out.append('<').append(element);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (!namesAndValues[i + 1].isEmpty()) {
        out.append(' ').append(namesAndValues[i]).append("=\"");
        out.append(escape(namesAndValues[i + 1])).append('"');
      }
    }
    if (VOID.contains(element)) {
      out.append("/>");
    } else {
      out.append('>');
      open.push(element);
    }
    return this;
  }

  /// Ends the innermost element.
  Markup end() {
    String element = open.pop();
    out.append("</").append(element).append('>');
    return line();
  }

  /// An element with nothing but text in it.
  Markup element(String element, String text, String... namesAndValues) {
    start(element, namesAndValues);
    out.append(escape(text)).append("</").append(open.pop()).append('>');
    return this;
  }

  Markup text(String text) {
    out.append(escape(text));
    return this;
  }

  /// A line break in the source, where white space does not matter.
  Markup line() {
    out.append('\n');
    return this;
  }

  /// What was written.
  ///
  /// @throws IllegalStateException if an element was not ended
  @Override
  public String toString() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("elements not ended: " + open);
    }
    return out.toString();
  }

  /// Text as it stands in an element or in a quoted attribute.
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '<' -> escaped.append("&lt;");
            case '>' -> escaped.append("&gt;");
            case '&' -> escaped.append("&amp;");
            case '"' -> escaped.append("&quot;");
            case '\n', '\t', '\r' -> escaped.append("&#").append(c).append(';');
            default -> escaped.appendCodePoint(allowed(c) ? c : 0xFFFD);
          }
        });
    return escaped.toString();
  }

  /// The characters of XML 1.0, section 2.2, less the controls that only HTML's parser minds.
  private static boolean allowed(int c) {
    return c >= 0x20 && c <= 0x7e
        || c >= 0xa0 && c <= 0xd7ff
        || c >= 0xe000 && c <= 0xfffd
        || c >= 0x10000;
  }
}
