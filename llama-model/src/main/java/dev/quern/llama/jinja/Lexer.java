package dev.quern.llama.jinja;

import dev.quern.llama.text.Printable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A template's words, with the white space between tags taken away as Jinja2 does it with
/// `trim_blocks` and `lstrip_blocks` (`jinja2/lexer.py`):
///
/// ```
/// {%- {{- {#-     no white space before the tag
/// -%} -}} -#}     none behind it
/// {% {#           no white space before it in its line, if there is nothing else in it
/// {%+ {#+         that stays
/// %} #}           no line break behind it
/// +%} +#}         it stays
/// ```
final class Lexer {
  // The quantifiers are possessive: a long number takes no stack.
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<float>(?<![.])[0-9][0-9_]*+(?:[.][0-9][0-9_]*+(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++))"
              + "|(?<hex>0[xX][0-9a-fA-F_]++)|(?<integer>[0-9][0-9_]*+)");
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+*/%~\\[\\](){}><=.:|,;]");
  private static final Pattern RAW = Pattern.compile("\\s*+raw\\s*+(?<end>-%\\}\\s*+|%\\})");
  private static final Pattern END_OF_RAW =
      Pattern.compile("\\{%(?<sign>[-+]?)\\s*+endraw\\s*+(?:\\+%\\}|-%\\}\\s*+|%\\}\\n?)");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineBegins = true; // the last tag took a line break along

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
    lexer.read();
    return lexer.tokens;
  }

  private void read() {
    for (int tag = nextTag(); tag >= 0; tag = nextTag()) {
      char kind = source.charAt(tag + 1);
      char sign = sign(tag + 2);
      data(tag, sign, kind != '{');
      moveTo(tag + (sign == 0 ? 2 : 3));
      switch (kind) {
        case '#' -> comment();
        case '{' -> tag("}}", Token.Kind.PRINT_BEGIN, Token.Kind.PRINT_END);
        default -> {
          if (!raw()) {
            tag("%}", Token.Kind.TAG_BEGIN, Token.Kind.TAG_END);
          }
        }
      }
      lineBegins = source.charAt(at - 1) == '\n';
    }
    if (at < source.length()) {
      add(Token.Kind.DATA, source.substring(at));
      moveTo(source.length());
    }
    add(Token.Kind.END, "");
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private char sign(int position) {
    char c = position < source.length() ? source.charAt(position) : 0;
    return c == '-' || c == '+' ? c : 0;
  }

  /// The text before a tag.
  private void data(int end, char sign, boolean strippedInItsLine) {
    String text = source.substring(at, end);
    if (sign == '-') {
      text = text.substring(0, PythonText.rightStripped(text));
    } else if (sign == 0 && strippedInItsLine) {
      int begin = text.lastIndexOf('\n') + 1;
      if ((begin > 0 || lineBegins)
          && text.substring(begin).chars().allMatch(PythonText::isSpace)) {
        text = text.substring(0, begin);
      }
    }
    if (!text.isEmpty()) {
      add(Token.Kind.DATA, text);
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw fail("{# without #}, expected the comment's end");
    }
    char sign = end > at ? sign(end - 1) : 0;
    moveTo(end + 2);
    behindTag(sign, true);
  }

  /// What white space goes with the end of a tag.
  private void behindTag(char sign, boolean trimmed) {
    int end = at;
    if (sign == '-') {
      while (end < source.length() && PythonText.isSpace(source.charAt(end))) {
        end++;
      }
    } else if (sign == 0 && trimmed && end < source.length() && source.charAt(end) == '\n') {
      end++;
    }
    moveTo(end);
  }

  private boolean raw() {
    Matcher raw = RAW.matcher(source).region(at, source.length());
    if (!raw.lookingAt()) {
      return false;
    }
    moveTo(raw.end());
    lineBegins = source.charAt(at - 1) == '\n';
    Matcher end = END_OF_RAW.matcher(source);
    if (!end.find(at)) {
      throw fail("{% raw %} without {% endraw %}, expected it");
    }
    String sign = end.group("sign");
    data(end.start(), sign.isEmpty() ? 0 : sign.charAt(0), true);
    moveTo(end.end());
    return true;
  }

  private void tag(String end, Token.Kind beginKind, Token.Kind endKind) {
    add(beginKind, source.substring(at - 2, at));
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
        moveTo(at + 1);
      }
      if (at == source.length()) {
        throw fail("a tag without its end, expected " + end);
      }
      if (open.isEmpty()) {
        char sign = sign(at);
        boolean signed = sign == '-' || sign == '+' && end.equals("%}");
        if (source.startsWith(end, signed ? at + 1 : at)) {
          add(endKind, end);
          moveTo(at + (signed ? 3 : 2));
          behindTag(sign, end.equals("%}"));
          return;
        }
      }
      word(open);
    }
  }

  private void word(Deque<Character> open) {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (isNamePart(source.codePointAt(at))) {
      int end = at;
      while (end < source.length() && isNamePart(source.codePointAt(end))) {
        end += Character.charCount(source.codePointAt(end));
      }
      add(Token.Kind.NAME, source.substring(at, end));
      moveTo(end);
    } else {
      operator(open);
    }
  }

  private static boolean isNamePart(int c) {
    return c == '_'
        || Character.isLetterOrDigit(c)
        || Character.getType(c) == Character.NON_SPACING_MARK;
  }

  private void operator(Deque<Character> open) {
    Matcher operator = OPERATOR.matcher(source).region(at, source.length());
    if (!operator.lookingAt()) {
      throw fail(
          Printable.quoted(source.substring(at, at + Character.charCount(source.codePointAt(at))))
              + ", expected a name, a number, a string or an operator");
    }
    String spelling = operator.group();
    switch (spelling) {
      case "(" -> open.push(')');
      case "[" -> open.push(']');
      case "{" -> open.push('}');
      case ")", "]", "}" -> {
        if (open.isEmpty() || open.pop() != spelling.charAt(0)) {
          throw fail(spelling + " that closes nothing, expected its bracket before it");
        }
      }
      default -> {}
    }
    add(Token.Kind.OPERATOR, spelling);
    moveTo(operator.end());
  }

  private void number() {
    Matcher number = NUMBER.matcher(source).region(at, source.length()).useTransparentBounds(true);
    if (!number.lookingAt()) {
      throw fail("a number, expected digits");
    }
    String digits = number.group().replace("_", "");
    if (number.group("float") != null) {
      add(Token.Kind.FLOAT, digits);
    } else {
      boolean hex = number.group("hex") != null;
      try {
        long value = hex ? Long.parseLong(digits.substring(2), 16) : Long.parseLong(digits);
        add(Token.Kind.INTEGER, Long.toString(value));
      } catch (NumberFormatException e) {
        throw new JinjaException(
            at(Printable.quoted(digits, 40) + ", expected an integer of at most 64 bits"), e);
      }
    }
    moveTo(number.end());
  }

  private void string(char quote) {
    StringBuilder text = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      if (source.charAt(i) == '\\' && i + 1 < source.length()) {
        i = escape(i + 1, text);
      } else {
        text.append(source.charAt(i++));
      }
    }
    if (i >= source.length()) {
      throw fail("a string without its end, expected " + quote);
    }
    add(Token.Kind.STRING, text.toString());
    moveTo(i + 1);
  }

  /// Python's escapes; one that is none stays as it is.
  ///
  /// @return the position behind it
  private int escape(int i, StringBuilder text) {
    char c = source.charAt(i);
    int simple = "nrtabfv\\'\"".indexOf(c);
    if (simple >= 0) {
      text.append("\n\r\t\u0007\b\f\u000b\\'\"".charAt(simple));
      return i + 1;
    }
    if (c >= '0' && c <= '7') {
      int end = i + 1;
      while (end < source.length() && end < i + 3 && "01234567".indexOf(source.charAt(end)) >= 0) {
        end++;
      }
      text.append((char) Integer.parseInt(source, i, end, 8));
      return end;
    }
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (c == 'N') {
      throw fail("\\N in a string, expected a character's number");
    }
    if (digits == 0) {
      if (c != '\n') {
        text.append('\\').append(c);
      }
      return i + 1;
    }
    int end = i + 1 + digits;
    try {
      text.appendCodePoint(Integer.parseInt(source, i + 1, end, 16));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new JinjaException(
          at(
              String.format(
                  Locale.ROOT, "\\%s, expected %d hexadecimal digits of a character", c, digits)),
          e);
    }
    return end;
  }

  private void add(Token.Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }

  private void moveTo(int position) {
    for (int i = at; i < position; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    at = position;
  }

  private JinjaException fail(String message) {
    return new JinjaException(at(message));
  }

  private String at(String message) {
    return String.format(Locale.ROOT, "line %d: %s", line, message);
  }
}
