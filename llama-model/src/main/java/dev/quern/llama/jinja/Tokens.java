package dev.quern.llama.jinja;

import dev.quern.llama.text.Printable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A parser's place in a template's words.
final class Tokens {
  private final List<Token> tokens; // the last is END
  private int at;
  private int depth;

  Tokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peekSecond() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean isName(String name) {
    return peek().is(Token.Kind.NAME, name);
  }

  boolean isOperator(String operator) {
    return peek().is(Token.Kind.OPERATOR, operator);
  }

  boolean skipName(String name) {
    boolean is = isName(name);
    if (is) {
      next();
    }
    return is;
  }

  boolean skipOperator(String operator) {
    boolean is = isOperator(operator);
    if (is) {
      next();
    }
    return is;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected(operator);
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (peek().kind() != kind) {
      throw unexpected(what);
    }
    return next();
  }

  int line() {
    return peek().line();
  }

  /// Goes one level down, into brackets or a block.
  void enter() {
    Optional<String> tooDeep = Budget.tooDeepToParse(++depth);
    if (tooDeep.isPresent()) {
      throw fail(tooDeep.get());
    }
  }

  void leave() {
    depth--;
  }

  JinjaException unexpected(String expected) {
    return fail(Printable.quoted(peek().shown(), 40) + ", expected " + expected);
  }

  JinjaException fail(String message) {
    return new JinjaException(String.format(Locale.ROOT, "line %d: %s", line(), message));
  }
}
