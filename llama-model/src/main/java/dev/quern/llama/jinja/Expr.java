package dev.quern.llama.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Expressions, as Jinja2's parser builds them.
sealed interface Expr {
  record Literal(Value value) implements Expr {}

  record Name(String name) implements Expr {}

  record ListOf(Value.Kind kind, List<Expr> elements) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  /// `of.name`
  record Attribute(Expr of, String name) implements Expr {}

  /// `of[index]`
  record Item(Expr of, Expr index) implements Expr {}

  /// `of[from:to:step]`
  record Slice(Expr of, Optional<Expr> from, Optional<Expr> to, Optional<Expr> step)
      implements Expr {}

  record Call(Expr callee, Args args) implements Expr {}

  /// `of | name(args)`
  record Filter(Expr of, String name, Args args) implements Expr {}

  /// `of is name(args)`
  record Test(Expr of, String name, Args args) implements Expr {}

  record Not(Expr of) implements Expr {}

  /// `-of` or `+of`
  record Sign(boolean negative, Expr of) implements Expr {}

  record Binary(String operator, Expr left, Expr right) implements Expr {}

  /// `first < second <= third`: each operand is compared with the one before it.
  record Compare(Expr first, List<Operand> rest) implements Expr {}

  record Operand(String operator, Expr of) {}

  /// `a ~ b ~ c`
  record Concat(List<Expr> parts) implements Expr {}

  record And(Expr left, Expr right) implements Expr {}

  record Or(Expr left, Expr right) implements Expr {}

  /// `then if test else otherwise`
  record Conditional(Expr test, Expr then, Optional<Expr> otherwise) implements Expr {}

  record Args(List<Expr> positional, Map<String, Expr> named) {
    static final Args NONE = new Args(List.of(), Map.of());
  }
}
