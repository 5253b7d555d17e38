package dev.quern.llama.constrain;

import java.util.List;

/// What a text may be: a tree that a regular expression or a schema becomes, and that
/// [GrammarBuilder] makes an automaton of.
sealed interface Expression {
  Expression EMPTY = new Text("");

  /// No text at all.
  Expression NEVER = new Choice(List.of());

  /// No end of repetitions.
  int UNBOUNDED = -1;

  /// One character of a set.
  record Chars(CodePoints set) implements Expression {}

  /// This text.
  record Text(String text) implements Expression {}

  /// A token that is none of the text, by its entry in the vocabulary (see [TokenTexts]).
  record Special(String token) implements Expression {}

  /// One after the other.
  record Sequence(List<Expression> parts) implements Expression {}

  /// One of these; which one need not be known before its end.
  record Choice(List<Expression> options) implements Expression {}

  /// @param max [#UNBOUNDED] where there is none
  record Repeat(Expression part, int min, int max) implements Expression {}

  /// What a rule says, in its place. A rule may call itself.
  record Call(Rule rule) implements Expression {}

  /// Some of the members, in their order, with separators between them.
  ///
  /// @param further any number of them, behind the members; [#NEVER] where there are none
  record Members(List<Member> members, Expression further, Expression separator)
      implements Expression {}

  /// @param required whether it may not be left out
  record Member(Expression text, boolean required) {}

  /// An expression with a name. Its text is given once, after calls of it were made.
  final class Rule {
    private final boolean nests;
    private Expression text = NEVER;

    /// @param nests whether a call of it counts towards the depth, as it must where it may come to
    ///   call itself
    Rule(boolean nests) {
      this.nests = nests;
    }

    boolean nests() {
      return nests;
    }

    Expression text() {
      return text;
    }

    void is(Expression text) {
      this.text = text;
    }
  }

  static Expression text(String text) {
    return new Text(text);
  }

  static Expression chars(String of) {
    return new Chars(CodePoints.in(of));
  }

  static Expression sequence(Expression... parts) {
    return new Sequence(List.of(parts));
  }

  static Expression choice(Expression... options) {
    return new Choice(List.of(options));
  }

  static Expression optional(Expression part) {
    return new Repeat(part, 0, 1);
  }

  static Expression any(Expression part) {
    return new Repeat(part, 0, UNBOUNDED);
  }
}
