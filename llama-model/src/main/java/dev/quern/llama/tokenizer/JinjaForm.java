package dev.quern.llama.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The canonical form of a Jinja template, so that templates that are spelt differently and do the
/// same are known as one. Nothing is run: two templates have the same form only if they have the
/// same statements in the same order and print the same pieces. What is evened out is
///
/// ```
/// white space      as Jinja has it with trim_blocks and lstrip_blocks (transformers, llama.cpp)
/// comments         dropped
/// strings          'a\n', "a\n" and one with a real line break are the same
/// x['name']        is x.name
/// printing         {{ a + 'b' }}, {{ a }}{{ 'b' }} and {{ a }}b are the same
/// ```
///
/// A form is a line a statement, and a line for what is printed between two.
final class JinjaForm {
  /// A statement that says no more than that nothing was asked for.
  private static final String DEFAULT_OF_GENERATION_PROMPT =
      """
      {% if not add_generation_prompt is defined %}
      {% set add_generation_prompt = false %}
      {% endif %}
      """;

  /// Ten times what is known.
  private static final int MAX_CHARACTERS = 1 << 16;

  /// What makes a `+` something else than the joining of two printed pieces.
  private static final List<String> OPERATORS =
      List.of(
          "if", "else", "and", "or", "not", "in", "is", "==", "!=", "<", ">", "<=", ">=", "-", "*",
          "/", "//", "%", "**", "~", ",", ":");

  private final String source;
  private final StringBuilder form = new StringBuilder();
  private final List<String> printed = new ArrayList<>(); // pieces since the last statement
  private int position;

  private JinjaForm(String source) {
    this.source = source;
  }

  /// @return empty where the source is no template that could be read
  static Optional<String> of(String source) {
    if (source.length() > MAX_CHARACTERS) {
      return Optional.empty();
    }
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    JinjaForm form = new JinjaForm(lines.endsWith("\n") ? chop(lines) : lines);
    return form.read()
        ? Optional.of(form.form.toString().replace(DEFAULT_OF_GENERATION_PROMPT, ""))
        : Optional.empty();
  }

  private static String chop(String text) {
    return text.substring(0, text.length() - 1);
  }

  private boolean read() {
    boolean lineBegins = true; // Jinja's own notion, for lstrip_blocks
    boolean strip = false; // the tag before ended in a minus
    while (true) {
      int tag = nextTag();
      String text = source.substring(position, tag);
      if (strip) {
        text = text.stripLeading();
      }
      if (tag == source.length()) {
        print(text);
        flush();
        return true;
      }
      char kind = source.charAt(tag + 1);
      int body = tag + 2;
      char sign = body < source.length() ? source.charAt(body) : ' ';
      if (sign == '-') {
        text = text.stripTrailing();
      } else if (kind != '{' && sign != '+') {
        text = withoutIndent(text, lineBegins);
      }
      print(text);
      int end = kind == '#' ? source.indexOf("#}", body) : endOfTag(body, kind);
      if (end < 0) {
        return false;
      }
      body += sign == '-' || sign == '+' ? 1 : 0;
      char last = end > body ? source.charAt(end - 1) : ' ';
      String content =
          source.substring(Math.min(body, end), last == '-' || last == '+' ? end - 1 : end);
      if (kind == '{') {
        printed.addAll(pieces(tokens(content)));
      } else if (kind == '%') {
        flush();
        form.append("{% ").append(String.join(" ", tokens(content))).append(" %}\n");
      }
      position = end + 2;
      strip = last == '-';
      lineBegins = false;
      if (kind != '{' && last != '-' && last != '+' && source.startsWith("\n", position)) {
        position++;
        lineBegins = true;
      }
    }
  }

  private int nextTag() {
    for (int at = source.indexOf('{', position); at >= 0; at = source.indexOf('{', at + 1)) {
      if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
        return at;
      }
    }
    return source.length();
  }

  /// The end of a tag is no end within a string.
  private int endOfTag(int from, char kind) {
    char close = kind == '{' ? '}' : '%';
    char quote = 0;
    for (int i = from; i + 1 < source.length(); i++) {
      char c = source.charAt(i);
      if (quote != 0) {
        if (c == '\\') {
          i++;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == close && source.charAt(i + 1) == '}') {
        return i;
      }
    }
    return -1;
  }

  private static String withoutIndent(String text, boolean lineBegins) {
    int line = text.lastIndexOf('\n') + 1;
    return (line > 0 || lineBegins) && text.substring(line).isBlank()
        ? text.substring(0, line)
        : text;
  }

  // ---- what is printed

  private void print(String text) {
    if (!text.isEmpty()) {
      printed.add(quoted(text));
    }
  }

  /// Ends a line of printed pieces, neighbouring texts as one.
  private void flush() {
    List<String> joined = joinTexts(printed);
    printed.clear();
    if (!joined.isEmpty()) {
      form.append(String.join(" ", joined)).append('\n');
    }
  }

  private static List<String> joinTexts(List<String> pieces) {
    List<String> joined = new ArrayList<>();
    for (String piece : pieces) {
      if (!joined.isEmpty() && isText(joined.getLast()) && isText(piece)) {
        joined.add(chop(joined.removeLast()) + piece.substring(1));
      } else {
        joined.add(piece);
      }
    }
    joined.removeIf("\"\""::equals);
    return joined;
  }

  /// The operands of a sum, or the whole expression where it is none.
  private static List<String> pieces(List<String> tokens) {
    List<String> pieces = new ArrayList<>();
    StringBuilder piece = new StringBuilder();
    int depth = 0;
    for (String token : tokens) {
      if (OPERATORS.contains(token) && depth == 0) {
        return List.of("(" + String.join(" ", tokens) + ")");
      }
      if (token.equals("+") && depth == 0) {
        pieces.add(piece.toString());
        piece.setLength(0);
        continue;
      }
      depth += "([{".contains(token) ? 1 : ")]}".contains(token) ? -1 : 0;
      piece.append(token);
    }
    pieces.add(piece.toString());
    return pieces;
  }

  // ---- tokens of an expression or statement

  private static List<String> tokens(String content) {
    List<String> tokens = new ArrayList<>();
    for (int at = 0, end; at < content.length(); at = end) {
      end = tokenEnd(content, at);
      String token = content.substring(at, end);
      if (token.isBlank()) {
        continue;
      }
      char c = token.charAt(0);
      tokens.add(c == '\'' || c == '"' ? quoted(unescaped(token)) : token);
      attribute(tokens);
      sumOfTexts(tokens);
    }
    return tokens;
  }

  private static int tokenEnd(String content, int at) {
    char c = content.charAt(at);
    int end = at + 1;
    if (c == '\'' || c == '"') {
      while (end < content.length() && content.charAt(end) != c) {
        end += content.charAt(end) == '\\' ? 2 : 1;
      }
      return Math.min(end + 1, content.length());
    }
    if (isNamePart(c)) {
      while (end < content.length() && isNamePart(content.charAt(end))) {
        end++;
      }
      return end;
    }
    return content.startsWith("=", end) && "=!<>".indexOf(c) >= 0
            || content.startsWith("//", at)
            || content.startsWith("**", at)
        ? end + 1
        : end;
  }

  private static boolean isNamePart(char c) {
    return c == '_' || Character.isLetterOrDigit(c);
  }

  /// `x [ "name" ]` at the end becomes `x . name`.
  private static void attribute(List<String> tokens) {
    int size = tokens.size();
    if (size >= 4
        && tokens.get(size - 1).equals("]")
        && isText(tokens.get(size - 2))
        && tokens.get(size - 3).equals("[")
        && tokens.get(size - 4).matches("\\w+|]")) {
      String name = tokens.get(size - 2);
      tokens.subList(size - 3, size).clear();
      tokens.add(".");
      tokens.add(chop(name).substring(1));
    }
  }

  /// `"a" + "b"` at the end becomes `"ab"`: a sum is read from the left, so what is before it must
  /// not bind closer.
  private static void sumOfTexts(List<String> tokens) {
    int size = tokens.size();
    if (size >= 3
        && isText(tokens.get(size - 1))
        && tokens.get(size - 2).equals("+")
        && isText(tokens.get(size - 3))
        && (size == 3 || tokens.get(size - 4).matches("[=(+]"))) {
      String last = tokens.removeLast();
      tokens.removeLast();
      tokens.add(chop(tokens.removeLast()) + last.substring(1));
    }
  }

  private static boolean isText(String token) {
    return token.length() > 1 && token.startsWith("\"");
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }

  /// A literal's text, with Python's escapes as far as templates have them; others stay as they
  /// are.
  private static String unescaped(String literal) {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < literal.length() - 1; i++) {
      char c = literal.charAt(i);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      char escape = literal.charAt(++i);
      switch (escape) {
        case 'n' -> text.append('\n');
        case 't' -> text.append('\t');
        case 'r' -> text.append('\r');
        case '\\', '\'', '"' -> text.append(escape);
        default -> text.append(c).append(escape);
      }
    }
    return text.toString();
  }
}
