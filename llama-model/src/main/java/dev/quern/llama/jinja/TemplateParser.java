package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Jinja2's statements (`jinja2/parser.py`), those of its extension `loopcontrols`, and the block
/// `generation` of transformers.
final class TemplateParser {
  private static final String STATEMENTS =
      "one of [if, for, set, macro, call, filter, with, generation, print, break, continue]";

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int loops; // around the statement, in its macro

  private TemplateParser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  static List<Stmt> parse(String source) {
    TemplateParser parser = new TemplateParser(new Tokens(Lexer.tokens(source)));
    return parser.statements(Set.of());
  }

  /// Statements up to a tag that begins with one of `ends`, of which the tag's begin is taken; or,
  /// where there are none, up to the template's end.
  private List<Stmt> statements(Set<String> ends) {
    tokens.enter();
    List<Stmt> body = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> body.add(new Stmt.Data(token.line(), Text.own(token.text())));
        case PRINT_BEGIN -> {
          body.add(new Stmt.Print(token.line(), expressions.tuple()));
          tokens.expect(Kind.PRINT_END, "}}");
        }
        case TAG_BEGIN -> {
          if (tokens.peek().kind() == Kind.NAME && ends.contains(tokens.peek().text())) {
            tokens.leave();
            return body;
          }
          statement(body);
          tokens.expect(Kind.TAG_END, "%}");
        }
        default -> {
          if (!ends.isEmpty()) {
            throw tokens.fail("the template's end, expected one of " + ends);
          }
          tokens.leave();
          return body;
        }
      }
    }
  }

  private void statement(List<Stmt> body) {
    int line = tokens.line();
    String name = tokens.expect(Kind.NAME, STATEMENTS).text();
    switch (name) {
      case "if" -> body.add(ifElse(line));
      case "for" -> body.add(loop(line));
      case "set" -> body.add(set(line));
      case "macro" -> body.add(macro(line));
      case "call" -> body.add(call(line));
      case "with" -> body.add(with(line));
      case "generation" ->
          body.add(new Stmt.With(line, List.of(), List.of(), block("endgeneration")));
      case "filter" -> {
        Expr filters = filters();
        body.add(new Stmt.FilterBlock(line, filters, block("endfilter")));
      }
      case "print" -> {
        do {
          body.add(new Stmt.Print(line, expressions.expression()));
        } while (tokens.skipOperator(","));
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw tokens.fail(name + " outside of a loop, expected it in one");
        }
        body.add(new Stmt.Jump(line, name.equals("break")));
      }
      default -> throw tokens.fail("the statement " + name + ", expected " + STATEMENTS);
    }
  }

  /// A block's body up to the tag that ends it, whose name is taken.
  private List<Stmt> block(String... ends) {
    tokens.skipOperator(":");
    tokens.expect(Kind.TAG_END, "%}");
    List<Stmt> body = statements(new LinkedHashSet<>(List.of(ends)));
    if (ends.length == 1) {
      tokens.next();
    }
    return body;
  }

  private Stmt ifElse(int line) {
    List<Stmt.Branch> branches = new ArrayList<>();
    List<Stmt> otherwise = List.of();
    String end;
    do {
      Expr test = expressions.tupleBeforeIf();
      branches.add(new Stmt.Branch(test, block("elif", "else", "endif")));
      end = tokens.next().text();
    } while (end.equals("elif"));
    if (end.equals("else")) {
      otherwise = block("endif");
    }
    return new Stmt.If(line, branches, otherwise);
  }

  private Stmt loop(int line) {
    Stmt.Target target = target(false);
    if (!tokens.skipName("in")) {
      throw tokens.unexpected("in");
    }
    Expr in = expressions.tupleBeforeIf();
    Expr filter = tokens.skipName("if") ? expressions.expression() : ALL;
    if (tokens.isName("recursive")) {
      throw tokens.unexpected("a loop that does not call itself");
    }
    loops++;
    List<Stmt> body = block("endfor", "else");
    loops--;
    List<Stmt> otherwise = tokens.next().text().equals("else") ? block("endfor") : List.of();
    return new Stmt.For(line, target, in, filter, body, otherwise);
  }

  private static final Expr ALL = new Expr.Literal(new Value.Bool(true));

  private Stmt set(int line) {
    Stmt.Target target = target(true);
    if (tokens.skipOperator("=")) {
      return new Stmt.Set(line, target, expressions.tuple());
    }
    Expr filters = tokens.skipOperator("|") ? filters() : Stmt.INPUT;
    return new Stmt.SetBlock(line, target, filters, block("endset"));
  }

  /// Filters of a block's text.
  private Expr filters() {
    Expr value = expressions.filter(Stmt.INPUT);
    while (tokens.skipOperator("|")) {
      value = expressions.filter(value);
    }
    return value;
  }

  private Stmt macro(int line) {
    String name = tokens.expect(Kind.NAME, "a macro's name").text();
    return new Stmt.MacroOf(line, name, signature(), macroBody("endmacro"));
  }

  private List<Stmt> macroBody(String end) {
    int around = loops;
    loops = 0;
    List<Stmt> body = block(end);
    loops = around;
    return body;
  }

  private Stmt.Signature signature() {
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    tokens.expectOperator("(");
    while (!tokens.isOperator(")")) {
      String name = tokens.expect(Kind.NAME, "a parameter's name").text();
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw tokens.fail("the parameter " + name + " without a default, expected one as before");
      }
      parameters.add(name);
      if (!tokens.isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Stmt.Signature(parameters, defaults);
  }

  private Stmt call(int line) {
    Stmt.Signature signature =
        tokens.isOperator("(") ? signature() : new Stmt.Signature(List.of(), List.of());
    if (expressions.expression() instanceof Expr.Call call) {
      return new Stmt.CallBlock(line, signature, call, macroBody("endcall"));
    }
    throw tokens.fail("a block call of something else, expected the call of a macro");
  }

  private Stmt with(int line) {
    List<Stmt.Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (tokens.peek().kind() != Kind.TAG_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(target(false));
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Stmt.With(line, targets, values, block("endwith"));
  }

  /// What is assigned to: a name, several with commas between them, or a namespace's member.
  private Stmt.Target target(boolean member) {
    List<Stmt.Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      several = !targets.isEmpty();
      if (several && !(tokens.peek().kind() == Kind.NAME || tokens.isOperator("("))
          || several && tokens.isName("in")) {
        break; // a comma behind the last
      }
      targets.add(oneTarget(member));
    } while (tokens.skipOperator(","));
    return targets.size() == 1 && !several ? targets.getFirst() : new Stmt.Target.Several(targets);
  }

  private Stmt.Target oneTarget(boolean member) {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Stmt.Target inner = target(member);
      tokens.leave();
      tokens.expectOperator(")");
      return inner;
    }
    String name = tokens.expect(Kind.NAME, "a name to assign to").text();
    if (member && tokens.skipOperator(".")) {
      return new Stmt.Target.Member(name, tokens.expect(Kind.NAME, "a member's name").text());
    }
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw tokens.fail(name + " assigned to, expected a name");
    }
    return new Stmt.Target.Variable(name);
  }
}
