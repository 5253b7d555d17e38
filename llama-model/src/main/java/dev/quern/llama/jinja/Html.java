package dev.quern.llama.jinja;

import java.util.Map;

/// HTML's escapes, as `markupsafe` has them.
final class Html {
  private static final Map<Character, String> ESCAPES =
      Map.of('&', "&amp;", '<', "&lt;", '>', "&gt;", '"', "&#34;", '\'', "&#39;");

  private Html() {}

  static void escape(Text text, TextBuilder out) {
    for (int i = 0; i < text.length(); i++) {
      String escape = ESCAPES.get(text.chars().charAt(i));
      if (escape == null) {
        out.append(text, i, i + 1);
      } else {
        out.append(escape, text.origin().charAt(i));
      }
    }
  }
}
