package dev.quern.llama.jinja;

import java.util.List;

/// Statements, as Jinja2's parser builds them. Each knows its line.
sealed interface Stmt {
  /// From 1.
  int line();

  record Data(int line, Text text) implements Stmt {}

  record Print(int line, Expr value) implements Stmt {}

  record If(int line, List<Branch> branches, List<Stmt> otherwise) implements Stmt {}

  record Branch(Expr test, List<Stmt> body) {}

  /// @param filter which elements the loop sees at all
  /// @param otherwise run if it sees none
  record For(int line, Target target, Expr in, Expr filter, List<Stmt> body, List<Stmt> otherwise)
      implements Stmt {}

  /// `{% break %}` or `{% continue %}`
  record Jump(int line, boolean ends) implements Stmt {}

  record Set(int line, Target target, Expr value) implements Stmt {}

  /// `{% set target %} … {% endset %}`
  ///
  /// @param filters of [#INPUT]
  record SetBlock(int line, Target target, Expr filters, List<Stmt> body) implements Stmt {}

  record MacroOf(int line, String name, Signature signature, List<Stmt> body) implements Stmt {}

  /// `{% call(parameters) call %} … {% endcall %}`: the body is the macro `caller`.
  record CallBlock(int line, Signature signature, Expr call, List<Stmt> body) implements Stmt {}

  /// `{% filter … %} … {% endfilter %}`
  record FilterBlock(int line, Expr filters, List<Stmt> body) implements Stmt {}

  /// `{% with %}`, and `{% generation %}`, which tells training what the model said.
  record With(int line, List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {}

  /// @param defaults of the last parameters
  record Signature(List<String> parameters, List<Expr> defaults) {}

  /// The name that stands for a block's text in its filters. No template can spell it.
  Expr.Name INPUT = new Expr.Name("|");

  /// What is assigned to.
  sealed interface Target {
    record Variable(String name) implements Target {}

    /// `namespace.name`
    record Member(String namespace, String name) implements Target {}

    record Several(List<Target> targets) implements Target {}
  }
}
