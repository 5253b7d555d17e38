package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Reads a regular expression: what [Constraint#regex] names of Java's syntax, nothing else.
final class RegexParser {
  private static final int MAX_CHARACTERS = 100_000;
  private static final int MAX_NESTING = 100;
  private static final int END = -1;

  private static final Expression ANYTHING = Expression.any(new Expression.Chars(CodePoints.ALL));

  /// What `.` does not match.
  private static final CodePoints LINE_ENDS = CodePoints.in("\n\r\u0085\u2028\u2029");

  private static final CodePoints SPACES = CodePoints.in(" \t\n\u000B\f\r");

  /// JavaScript's spaces (ECMA-262, WhiteSpace and LineTerminator), of which Java's are a part.
  private static final CodePoints ALL_SPACES =
      SPACES
          .or(CodePoints.in("\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"))
          .or(CodePoints.of(0x2000, 0x200a));

  private final int[] characters;
  private final CodePoints notNoSpace; // what \S does not match
  private int at;
  private int nesting;

  private RegexParser(String expression, CodePoints notNoSpace) {
    if (expression.length() > MAX_CHARACTERS) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "constraint: regex of %d characters, expected at most %d",
              expression.length(),
              MAX_CHARACTERS));
    }
    characters = expression.codePoints().toArray();
    this.notNoSpace = notNoSpace;
  }

  /// An expression that a whole text matches.
  static Expression parse(String expression) {
    return new RegexParser(expression, SPACES).alternatives(false);
  }

  /// An expression that a text matches somewhere, as a schema's `pattern`. Where Java and
  /// JavaScript differ, what both match.
  static Expression search(String expression) {
    return new RegexParser(expression, ALL_SPACES).alternatives(true);
  }

  private Expression alternatives(boolean search) {
    List<Expression> all = new ArrayList<>();
    do {
      boolean first = take('^');
      Expression body = sequence();
      boolean last = take('$');
      if (search && !(first && last)) {
        body =
            Expression.sequence(
                first ? Expression.EMPTY : ANYTHING, body, last ? Expression.EMPTY : ANYTHING);
      }
      all.add(body);
    } while (take('|'));
    if (peek() != END) {
      throw unexpected("an escape, or an end of the expression"); // ) or an anchor
    }
    return new Expression.Choice(all);
  }

  private Expression sequence() {
    List<Expression> parts = new ArrayList<>();
    while (peek() != END && peek() != '|' && peek() != ')' && !(nesting == 0 && peek() == '$')) {
      parts.add(quantified(atom()));
    }
    return new Expression.Sequence(parts);
  }

  private Expression atom() {
    int c = peek();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Expression.Chars(set());
      case '.' -> {
        at++;
        yield new Expression.Chars(LINE_ENDS.not());
      }
      case '\\' -> new Expression.Chars(escape(false));
      case '*', '+', '?', '{' -> throw unexpected("something to repeat before it, or an escape");
      case '^', '$' -> throw unexpected("it at the ends of the expression only, or an escape");
      default -> {
        at++;
        yield new Expression.Chars(whole(c));
      }
    };
  }

  private CodePoints whole(int c) {
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      at--;
      throw unexpected("whole characters, not half of a surrogate pair");
    }
    return CodePoints.of(c);
  }

  private Expression group() {
    at++;
    if (take('?') && !take(':')) {
      at -= 1;
      throw unexpected("( or (?: (look-around, names and flags of groups can't be kept to)");
    }
    if (++nesting > MAX_NESTING) {
      throw unexpected("groups of at most " + MAX_NESTING + " levels");
    }
    List<Expression> options = new ArrayList<>();
    do {
      options.add(sequence());
    } while (take('|'));
    if (!take(')')) {
      throw unexpected("a ) for each (");
    }
    nesting--;
    return new Expression.Choice(options);
  }

  private Expression quantified(Expression part) {
    int min;
    int max;
    switch (peek()) {
      case '*' -> {
        at++;
        min = 0;
        max = Expression.UNBOUNDED;
      }
      case '+' -> {
        at++;
        min = 1;
        max = Expression.UNBOUNDED;
      }
      case '?' -> {
        at++;
        min = 0;
        max = 1;
      }
      case '{' -> {
        at++;
        min = count();
        max = min;
        if (take(',')) {
          max = peek() == '}' ? Expression.UNBOUNDED : count();
        }
        if (!take('}') || max != Expression.UNBOUNDED && max < min) {
          throw unexpected("{m}, {m,} or {m,n} with m <= n");
        }
      }
      default -> {
        return part;
      }
    }
    take('?'); // which match is preferred makes no difference
    if (peek() == '+') {
      throw unexpected("no possessive quantifier");
    }
    if (peek() == '*' || peek() == '?' || peek() == '{') {
      throw unexpected("one quantifier, or a group around what it repeats");
    }
    return new Expression.Repeat(part, min, max);
  }

  private int count() {
    int from = at;
    int count = 0;
    while (peek() >= '0' && peek() <= '9' && at - from < 9) {
      count = 10 * count + characters[at++] - '0';
    }
    if (at == from || peek() >= '0' && peek() <= '9') {
      throw unexpected("a number of at most nine digits");
    }
    return count;
  }

  private CodePoints set() {
    at++;
    boolean negated = take('^');
    CodePoints set = CodePoints.NONE;
    boolean empty = true;
    while (empty || peek() != ']') {
      empty = false;
      boolean isLiteral = !isNamed();
      CodePoints first = member(negated);
      if (peek() == '-' && at + 1 < characters.length && characters[at + 1] != ']') {
        at++;
        if (!isLiteral || isNamed()) {
          throw unexpected("a character at both ends of a range");
        }
        int from = first.ranges().getFirst().first();
        int to = member(negated).ranges().getFirst().first();
        if (from > to) {
          throw unexpected("a range that goes up");
        }
        first = CodePoints.of(from, to);
      }
      set = set.or(first);
    }
    at++;
    return negated ? set.not() : set;
  }

  /// Whether an escape of a class of characters comes.
  private boolean isNamed() {
    return peek() == '\\'
        && at + 1 < characters.length
        && "dDwWsS".indexOf(characters[at + 1]) >= 0;
  }

  private CodePoints member(boolean negated) {
    int c = peek();
    switch (c) {
      case END, ']', '[' -> throw unexpected("characters, ranges and a ], others with an escape");
      case '\\' -> {
        return escape(negated);
      }
      case '&' -> {
        if (at + 1 < characters.length && characters[at + 1] == '&') {
          throw unexpected("an escape, since Java reads && as an intersection");
        }
      }
      default -> {}
    }
    at++;
    return whole(c);
  }

  /// @param inverted whether what it matches will be left out, and the rest be taken
  private CodePoints escape(boolean inverted) {
    at++;
    int c = peek();
    at++;
    return switch (c) {
      case 'd' -> CodePoints.DIGITS;
      case 'D' -> CodePoints.DIGITS.not();
      case 'w' -> CodePoints.WORD;
      case 'W' -> CodePoints.WORD.not();
      case 's' -> inverted ? notNoSpace : SPACES;
      case 'S' -> inverted ? SPACES.not() : notNoSpace.not();
      case 't' -> CodePoints.of('\t');
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'x' -> whole(hex(2));
      case 'u' -> CodePoints.of(unicode());
      default -> {
        if (c == END || Character.isLetterOrDigit(c)) {
          at -= 2;
          throw unexpected(
              "\\d \\D \\w \\W \\s \\S \\t \\n \\r \\f \\xHH \\"
                  + "uHHHH or a sign (others can't be kept to)");
        }
        yield whole(c);
      }
    };
  }

  /// A character that is one, or two that are a surrogate pair.
  private int unicode() {
    int high = hex(4);
    if (Character.isHighSurrogate((char) high) && take('\\') && take('u')) {
      int low = hex(4);
      if (Character.isLowSurrogate((char) low)) {
        return Character.toCodePoint((char) high, (char) low);
      }
    }
    if (Character.isSurrogate((char) high)) {
      throw unexpected("whole surrogate pairs");
    }
    return high;
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = peek() < 0x80 ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw unexpected(digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
      at++;
    }
    return value;
  }

  private int peek() {
    return at < characters.length ? characters[at] : END;
  }

  private boolean take(int c) {
    boolean there = peek() == c;
    at += there ? 1 : 0;
    return there;
  }

  private RequestException unexpected(String expected) {
    return new RequestException(
        String.format(
            Locale.ROOT,
            "constraint: regex, character %d: %s, expected %s",
            at,
            peek() == END ? "its end" : Printable.quoted(Character.toString(peek())),
            expected));
  }
}
