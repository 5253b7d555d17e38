package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Jinja2's expressions (`jinja2/parser.py`), from what binds least to what binds most. A filter
/// binds more than any operator but a sign.
final class ExpressionParser {
  private static final Set<String> COMPARED = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> SUMS = Set.of("+", "-");
  private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");

  private final Tokens tokens;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /// An expression, or several with commas between them, which are a tuple.
  Expr tuple() {
    return tuple(false, this::expression);
  }

  /// The same of expressions without `if` at their top: a loop's `if` is its filter.
  Expr tupleBeforeIf() {
    return tuple(false, this::or);
  }

  private Expr tuple(boolean inBrackets, Supplier<Expr> element) {
    List<Expr> elements = new ArrayList<>();
    boolean several = false;
    while (!endsTuple()) {
      elements.add(element.get());
      if (!tokens.skipOperator(",")) {
        break;
      }
      several = true;
    }
    if (several || elements.isEmpty() && inBrackets) {
      return new Expr.ListOf(Value.Kind.TUPLE, elements);
    }
    if (elements.isEmpty()) {
      throw tokens.unexpected("an expression");
    }
    return elements.getFirst();
  }

  private boolean endsTuple() {
    return switch (tokens.peek().kind()) {
      case TAG_END, PRINT_END -> true;
      default -> tokens.isOperator(")");
    };
  }

  Expr expression() {
    tokens.enter();
    Expr value = or();
    while (tokens.skipName("if")) {
      Expr test = or();
      Optional<Expr> otherwise =
          tokens.skipName("else") ? Optional.of(expression()) : Optional.empty();
      value = new Expr.Conditional(test, value, otherwise);
    }
    tokens.leave();
    return value;
  }

  private Expr or() {
    Expr left = and();
    while (tokens.skipName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (tokens.skipName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    if (!tokens.skipName("not")) {
      return compare();
    }
    tokens.enter();
    Expr of = not();
    tokens.leave();
    return new Expr.Not(of);
  }

  private Expr compare() {
    Expr first = sum();
    List<Expr.Operand> rest = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      if (token.kind() == Kind.OPERATOR && COMPARED.contains(token.text())) {
        tokens.next();
        rest.add(new Expr.Operand(token.text(), sum()));
      } else if (tokens.skipName("in")) {
        rest.add(new Expr.Operand("in", sum()));
      } else if (tokens.isName("not") && tokens.peekSecond().is(Kind.NAME, "in")) {
        tokens.next();
        tokens.next();
        rest.add(new Expr.Operand("not in", sum()));
      } else {
        return rest.isEmpty() ? first : new Expr.Compare(first, rest);
      }
    }
  }

  private Expr sum() {
    Expr left = concat();
    while (isOneOf(SUMS)) {
      left = new Expr.Binary(tokens.next().text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    List<Expr> parts = new ArrayList<>();
    do {
      parts.add(product());
    } while (tokens.skipOperator("~"));
    return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (isOneOf(PRODUCTS)) {
      left = new Expr.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (isOneOf(Set.of("**"))) {
      left = new Expr.Binary(tokens.next().text(), left, unary(true));
    }
    return left;
  }

  private boolean isOneOf(Set<String> operators) {
    return tokens.peek().kind() == Kind.OPERATOR && operators.contains(tokens.peek().text());
  }

  private Expr unary(boolean filtered) {
    Expr value;
    if (isOneOf(SUMS)) {
      tokens.enter();
      value = new Expr.Sign(tokens.next().text().equals("-"), unary(false));
      tokens.leave();
    } else {
      value = primary();
    }
    value = postfix(value);
    return filtered ? filters(value) : value;
  }

  private Expr primary() {
    Token token = tokens.peek();
    return switch (token.kind()) {
      case NAME -> name(tokens.next().text());
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Expr.Literal(Text.own(text.toString()));
      }
      case INTEGER -> new Expr.Literal(new Value.Int(Long.parseLong(tokens.next().text())));
      case FLOAT -> new Expr.Literal(new Value.Real(Double.parseDouble(tokens.next().text())));
      case OPERATOR -> bracketed(token.text());
      default -> throw tokens.unexpected("an expression");
    };
  }

  private Expr name(String name) {
    return switch (name) {
      case "true", "True" -> new Expr.Literal(new Value.Bool(true));
      case "false", "False" -> new Expr.Literal(new Value.Bool(false));
      case "none", "None" -> new Expr.Literal(Value.None.NONE);
      default -> {
        if (!Character.isUnicodeIdentifierStart(name.codePointAt(0)) && name.charAt(0) != '_') {
          throw tokens.fail(name + ", expected a name that begins with a letter");
        }
        yield new Expr.Name(name);
      }
    };
  }

  private Expr bracketed(String bracket) {
    tokens.enter();
    Expr value =
        switch (bracket) {
          case "(" -> {
            tokens.next();
            Expr inner = tuple(true, this::expression);
            tokens.expectOperator(")");
            yield inner;
          }
          case "[" -> {
            tokens.next();
            List<Expr> elements = new ArrayList<>();
            separated("]", () -> elements.add(expression()));
            yield new Expr.ListOf(Value.Kind.LIST, elements);
          }
          case "{" -> {
            tokens.next();
            List<Expr> keys = new ArrayList<>();
            List<Expr> values = new ArrayList<>();
            separated(
                "}",
                () -> {
                  keys.add(expression());
                  tokens.expectOperator(":");
                  values.add(expression());
                });
            yield new Expr.DictOf(keys, values);
          }
          default -> throw tokens.unexpected("an expression");
        };
    tokens.leave();
    return value;
  }

  /// Elements with commas between them, up to a bracket; a comma may stand behind the last.
  private void separated(String end, Runnable element) {
    while (!tokens.isOperator(end)) {
      element.run();
      if (!tokens.isOperator(end)) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
  }

  private Expr postfix(Expr of) {
    Expr value = of;
    while (true) {
      if (tokens.skipOperator(".")) {
        Token token = tokens.next();
        value =
            switch (token.kind()) {
              case NAME -> new Expr.Attribute(value, token.text());
              case INTEGER ->
                  new Expr.Item(
                      value, new Expr.Literal(new Value.Int(Long.parseLong(token.text()))));
              default -> throw tokens.fail(token.shown() + " behind a dot, expected a name");
            };
      } else if (tokens.skipOperator("[")) {
        value = subscript(value);
      } else if (tokens.isOperator("(")) {
        value = new Expr.Call(value, args());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr of) {
    Optional<Expr> from = tokens.isOperator(":") ? Optional.empty() : Optional.of(expression());
    if (from.isPresent() && tokens.skipOperator("]")) {
      return new Expr.Item(of, from.get());
    }
    tokens.expectOperator(":");
    Optional<Expr> to = sliceEnd();
    Optional<Expr> step = tokens.skipOperator(":") ? sliceEnd() : Optional.empty();
    tokens.expectOperator("]");
    return new Expr.Slice(of, from, to, step);
  }

  private Optional<Expr> sliceEnd() {
    return tokens.isOperator(":") || tokens.isOperator("]")
        ? Optional.empty()
        : Optional.of(expression());
  }

  private Expr filters(Expr of) {
    Expr value = of;
    while (true) {
      if (tokens.skipOperator("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.isOperator("(")) {
        value = new Expr.Call(value, args());
      } else {
        return value;
      }
    }
  }

  /// What stands behind `|`, and further filters.
  Expr filter(Expr of) {
    String name = dottedName("a filter's name");
    if (!Filters.has(name)) {
      throw tokens.fail("the filter " + name + ", expected one of " + Filters.names());
    }
    return new Expr.Filter(of, name, tokens.isOperator("(") ? args() : Expr.Args.NONE);
  }

  private Expr test(Expr of) {
    boolean negated = tokens.skipName("not");
    String name = dottedName("a test's name");
    if (!ValueTests.has(name)) {
      throw tokens.fail("the test " + name + ", expected one of " + ValueTests.names());
    }
    Expr.Args args = Expr.Args.NONE;
    if (tokens.isOperator("(")) {
      args = args();
    } else if (beginsTestArgument()) {
      if (tokens.isName("is")) {
        throw tokens.fail("is behind is, expected one test");
      }
      args = new Expr.Args(List.of(postfix(primary())), Map.of());
    }
    Expr test = new Expr.Test(of, name, args);
    return negated ? new Expr.Not(test) : test;
  }

  private boolean beginsTestArgument() {
    return switch (tokens.peek().kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !tokens.isName("else") && !tokens.isName("or") && !tokens.isName("and");
      case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
      default -> false;
    };
  }

  private String dottedName(String what) {
    StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME, what).text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Kind.NAME, what).text());
    }
    return name.toString();
  }

  Expr.Args args() {
    tokens.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    separated(")", () -> argument(positional, named));
    return new Expr.Args(positional, named);
  }

  private void argument(List<Expr> positional, Map<String, Expr> named) {
    if (tokens.isOperator("*") || tokens.isOperator("**")) {
      throw tokens.unexpected("arguments one by one");
    }
    if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
      String name = tokens.next().text();
      tokens.next();
      if (named.put(name, expression()) != null) {
        throw tokens.fail("the argument " + name + " twice, expected once");
      }
    } else if (named.isEmpty()) {
      positional.add(expression());
    } else {
      throw tokens.unexpected("a named argument behind one");
    }
  }
}
