package dev.quern.llama.constrain;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// JSON texts (RFC 8259) as expressions. They have no blanks but at most one space behind a colon
/// or a comma, so that no model can spin on them.
final class JsonTexts {
  /// What stands in a string with a backslash before it.
  private static final CodePoints ESCAPED = CodePoints.in("\"\\").or(CodePoints.of(0, 0x1f));

  private static final Expression SPACE = Expression.optional(Expression.text(" "));
  static final Expression COMMA = Expression.sequence(Expression.text(","), SPACE);
  private static final Expression COLON = Expression.sequence(Expression.text(":"), SPACE);
  private static final Expression DIGIT = new Expression.Chars(CodePoints.DIGITS);
  static final Expression NULL = Expression.text("null");
  static final Expression BOOLEAN =
      Expression.choice(Expression.text("true"), Expression.text("false"));

  private final Expression.Rule character = new Expression.Rule(false);
  private final Expression.Rule key = new Expression.Rule(false);
  private final Expression.Rule value = new Expression.Rule(true);
  private final Expression anyObject;
  private final Expression anyArray;

  JsonTexts() {
    Expression hex = new Expression.Chars(CodePoints.HEX);
    Expression plain = new Expression.Chars(ESCAPED.not());
    // Not the surrogates, of which half a pair would be no character.
    character.is(
        Expression.choice(
            plain,
            Expression.sequence(
                Expression.text("\\"),
                Expression.choice(
                    Expression.chars("\"\\/bfnrt"),
                    Expression.sequence(
                        Expression.text("u"),
                        Expression.choice(
                            Expression.sequence(
                                new Expression.Chars(CodePoints.HEX.without(CodePoints.in("dD"))),
                                hex),
                            Expression.sequence(
                                Expression.chars("dD"), Expression.chars("01234567"))),
                        hex,
                        hex)))));
    key.is(quoted(Expression.any(plain)));
    anyObject = object(List.of(), member(new Expression.Call(key), new Expression.Call(value)));
    anyArray = array(List.of(), new Expression.Call(value), 0, Expression.UNBOUNDED);
    value.is(
        Expression.choice(
            anyObject, anyArray, string(0, Expression.UNBOUNDED), number(), BOOLEAN, NULL));
  }

  Expression anyValue() {
    return new Expression.Call(value);
  }

  Expression anyObject() {
    return anyObject;
  }

  Expression anyArray() {
    return anyArray;
  }

  /// A string of so many characters.
  Expression string(int min, int max) {
    return quoted(new Expression.Repeat(new Expression.Call(character), min, max));
  }

  /// A string whose characters an expression matches, each spelled in one way.
  static Expression string(Expression of) {
    return quoted(spelled(of));
  }

  private static Expression quoted(Expression text) {
    return Expression.sequence(Expression.text("\""), text, Expression.text("\""));
  }

  private static Expression spelled(Expression e) {
    return switch (e) {
      case Expression.Text t -> Expression.text(escaped(t.text()));
      case Expression.Chars c -> spelled(c.set());
      case Expression.Sequence s ->
          new Expression.Sequence(s.parts().stream().map(JsonTexts::spelled).toList());
      case Expression.Choice c ->
          new Expression.Choice(c.options().stream().map(JsonTexts::spelled).toList());
      case Expression.Repeat r -> new Expression.Repeat(spelled(r.part()), r.min(), r.max());
      case Expression.Special _, Expression.Call _, Expression.Members _ ->
          throw new IllegalArgumentException();
    };
  }

  private static Expression spelled(CodePoints set) {
    List<Expression> options = new ArrayList<>();
    options.add(new Expression.Chars(set.without(ESCAPED)));
    for (CodePoints.Range r : ESCAPED.ranges()) {
      for (int c = r.first(); c <= r.last(); c++) {
        if (set.contains(c)) {
          options.add(Expression.text(escaped(Character.toString(c))));
        }
      }
    }
    return options.size() == 1 ? options.getFirst() : new Expression.Choice(options);
  }

  /// Any number: up to 15 digits, a fraction up to 16, an exponent up to two.
  static Expression number() {
    return Expression.sequence(
        integer(),
        Expression.optional(
            Expression.sequence(
                Expression.text("."),
                new Expression.Repeat(DIGIT, 1, NumberTexts.FRACTION_DIGITS))),
        Expression.optional(
            Expression.sequence(
                Expression.chars("eE"),
                Expression.optional(Expression.chars("+-")),
                new Expression.Repeat(DIGIT, 1, 2))));
  }

  /// Any integer of up to 15 digits.
  static Expression integer() {
    return Expression.sequence(
        Expression.optional(Expression.text("-")),
        Expression.choice(
            Expression.text("0"),
            Expression.sequence(
                Expression.chars("123456789"),
                new Expression.Repeat(DIGIT, 0, NumberTexts.DIGITS - 1))));
  }

  static Expression member(Expression key, Expression value) {
    return Expression.sequence(key, COLON, value);
  }

  static Expression member(String key, Expression value) {
    return member(Expression.text(text(key)), value);
  }

  static Expression object(List<Expression.Member> members, Expression further) {
    return Expression.sequence(
        Expression.text("{"),
        new Expression.Members(members, further, COMMA),
        Expression.text("}"));
  }

  /// @param first what each of the first elements is
  /// @param rest what those behind are
  /// @param max [Expression#UNBOUNDED] where there is none
  static Expression array(List<Expression> first, Expression rest, int min, int max) {
    int most = max == Expression.UNBOUNDED ? Integer.MAX_VALUE : max;
    int fixed = Math.min(first.size(), most);
    Expression elements = behind(Math.max(1, fixed), rest, min, max);
    if (fixed == 0) {
      elements = most == 0 ? Expression.EMPTY : Expression.sequence(rest, elements);
      elements = min == 0 ? Expression.optional(elements) : elements;
    }
    for (int i = fixed - 1; i >= 0; i--) {
      elements = Expression.sequence(i == 0 ? Expression.EMPTY : COMMA, first.get(i), elements);
      elements = min <= i ? Expression.optional(elements) : elements;
    }
    return Expression.sequence(Expression.text("["), elements, Expression.text("]"));
  }

  /// The elements behind the first few.
  private static Expression behind(int few, Expression rest, int min, int max) {
    int least = Math.max(0, min - few);
    int most = max == Expression.UNBOUNDED ? max : Math.max(0, max - few);
    return new Expression.Repeat(Expression.sequence(COMMA, rest), least, most);
  }

  /// A key that is none of these, of characters that need no escape.
  Expression otherKey(Iterable<String> names) {
    Names root = new Names();
    names.forEach(root::add);
    return root.isEmpty()
        ? new Expression.Call(key)
        : Expression.sequence(Expression.text("\""), root.others());
  }

  /// A tree of the names' characters.
  private static final class Names {
    private final Map<Integer, Names> next = new TreeMap<>();
    private boolean isName;

    boolean isEmpty() {
      return next.isEmpty() && !isName;
    }

    void add(String name) {
      Names at = this;
      for (int c : name.codePoints().toArray()) {
        at = at.next.computeIfAbsent(c, _ -> new Names());
      }
      at.isName = true;
    }

    /// What may follow here so that no name comes of it, with the quote behind it. Rules, since
    /// long names would make deep expressions.
    Expression others() {
      Expression.Rule rule = new Expression.Rule(false);
      fill(rule);
      return new Expression.Call(rule);
    }

    private void fill(Expression.Rule root) {
      record Open(Names names, Expression.Rule rule) {}
      List<Open> open = new ArrayList<>(List.of(new Open(this, root)));
      while (!open.isEmpty()) {
        Open o = open.removeLast();
        List<Expression> options = new ArrayList<>();
        CodePoints others = ESCAPED.not();
        for (Map.Entry<Integer, Names> e : o.names.next.entrySet()) {
          CodePoints c = CodePoints.of(e.getKey());
          others = others.without(c);
          if (!ESCAPED.contains(e.getKey())) {
            Expression.Rule rule = new Expression.Rule(false);
            options.add(Expression.sequence(new Expression.Chars(c), new Expression.Call(rule)));
            open.add(new Open(e.getValue(), rule));
          }
        }
        options.add(
            Expression.sequence(
                new Expression.Chars(others),
                Expression.any(new Expression.Chars(ESCAPED.not())),
                Expression.text("\"")));
        if (!o.names.isName) {
          options.add(Expression.text("\""));
        }
        o.rule.is(new Expression.Choice(options));
      }
    }
  }

  /// A value as JSON, without blanks.
  ///
  /// @param value as [dev.quern.llama.text.Json#exact] has it
  static String text(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  private static void write(Object value, StringBuilder out) {
    switch (value) {
      case null -> out.append("null");
      case String s -> out.append('"').append(escaped(s)).append('"');
      case BigDecimal n -> out.append(n);
      case List<?> list -> {
        out.append('[');
        for (int i = 0; i < list.size(); i++) {
          out.append(i == 0 ? "" : ",");
          write(list.get(i), out);
        }
        out.append(']');
      }
      case Map<?, ?> map -> {
        char before = '{';
        for (Map.Entry<?, ?> e : map.entrySet()) {
          out.append(before);
          write(e.getKey(), out);
          out.append(':');
          write(e.getValue(), out);
          before = ',';
        }
        out.append(map.isEmpty() ? "{}" : "}");
      }
      default -> out.append(value); // a boolean
    }
  }

  private static String escaped(String text) {
    return String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text));
  }
}
