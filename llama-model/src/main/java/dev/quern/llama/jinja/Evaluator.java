package dev.quern.llama.jinja;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Runs a template's statements, within a budget.
final class Evaluator {
  /// How a statement ends.
  private enum End {
    NEXT,
    CONTINUE,
    BREAK
  }

  private final Budget budget;
  private final LocalDateTime now;
  private final Expressions expressions;
  private TextBuilder out;
  private int line;

  Evaluator(Budget budget, LocalDateTime now) {
    this.budget = budget;
    this.now = now;
    this.out = new TextBuilder(budget);
    this.expressions = new Expressions(this, budget);
  }

  Budget budget() {
    return budget;
  }

  LocalDateTime now() {
    return now;
  }

  /// The line of the statement that runs, or that has failed.
  int line() {
    return line;
  }

  Value value(Expr expression, Scope scope) {
    return expressions.value(expression, scope);
  }

  /// What statements print.
  Text text(List<Stmt> body, Scope scope) {
    TextBuilder around = out;
    int lineAround = line;
    out = new TextBuilder(budget);
    run(body, scope);
    Text text = out.text();
    out = around;
    line = lineAround;
    return text;
  }

  private End run(List<Stmt> body, Scope scope) {
    budget.enter();
    End end = End.NEXT;
    for (int i = 0; i < body.size() && end == End.NEXT; i++) {
      budget.steps(1);
      line = body.get(i).line();
      end = run(body.get(i), scope);
    }
    budget.leave();
    return end;
  }

  private End run(Stmt statement, Scope scope) {
    switch (statement) {
      case Stmt.Data data -> out.append(data.text());
      case Stmt.Print print -> out.append(PythonText.str(value(print.value(), scope), budget));
      case Stmt.If test -> {
        return branch(test, scope);
      }
      case Stmt.For loop -> {
        return loop(loop, scope);
      }
      case Stmt.Jump jump -> {
        return jump.ends() ? End.BREAK : End.CONTINUE;
      }
      case Stmt.Set set -> assign(set.target(), value(set.value(), scope), scope);
      case Stmt.SetBlock set -> {
        Value value = filtered(set.body(), set.filters(), scope);
        assign(set.target(), value, scope);
      }
      case Stmt.MacroOf macro ->
          scope.set(macro.name(), new Macro(macro.name(), macro.signature(), macro.body(), scope));
      case Stmt.CallBlock call -> {
        Macro caller = new Macro("caller", call.signature(), call.body(), scope);
        Value result = expressions.call((Expr.Call) call.call(), Map.of("caller", caller), scope);
        out.append(PythonText.str(result, budget));
      }
      case Stmt.FilterBlock filter ->
          out.append(PythonText.str(filtered(filter.body(), filter.filters(), scope), budget));
      case Stmt.With with -> {
        Scope inner = new Scope(scope);
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), value(with.values().get(i), scope), inner);
        }
        return run(with.body(), inner);
      }
    }
    return End.NEXT;
  }

  private Value filtered(List<Stmt> body, Expr filters, Scope scope) {
    Scope input = new Scope(scope);
    input.set(Stmt.INPUT.name(), text(body, new Scope(scope)));
    return value(filters, input);
  }

  private End branch(Stmt.If test, Scope scope) {
    for (Stmt.Branch branch : test.branches()) {
      if (Operators.isTrue(value(branch.test(), scope))) {
        return run(branch.body(), scope);
      }
    }
    return run(test.otherwise(), scope);
  }

  private End loop(Stmt.For loop, Scope scope) {
    List<Value> seen = new ArrayList<>();
    for (Value element : Operators.elements(value(loop.in(), scope), budget)) {
      Scope round = new Scope(scope);
      assign(loop.target(), element, round);
      if (Operators.isTrue(value(loop.filter(), round))) {
        seen.add(element);
      }
    }
    if (seen.isEmpty()) {
      return run(loop.otherwise(), new Scope(scope));
    }
    Loop state = new Loop(seen);
    for (int i = 0; i < seen.size(); i++) {
      state.moveTo(i);
      Scope round = new Scope(scope);
      round.set("loop", state);
      assign(loop.target(), seen.get(i), round);
      if (run(loop.body(), round) == End.BREAK) {
        break;
      }
    }
    return End.NEXT;
  }

  private void assign(Stmt.Target target, Value value, Scope scope) {
    switch (target) {
      case Stmt.Target.Variable variable -> scope.set(variable.name(), value);
      case Stmt.Target.Member member -> {
        if (!(scope.get(member.namespace()) instanceof Value.Namespace namespace)) {
          throw new JinjaException(
              String.format(
                  Locale.ROOT,
                  "%s.%s is set, expected %s to be a namespace",
                  member.namespace(),
                  member.name(),
                  member.namespace()));
        }
        namespace.names().put(member.name(), value);
      }
      case Stmt.Target.Several several -> {
        List<Value> values = Operators.elements(value, budget);
        if (values.size() != several.targets().size()) {
          throw new JinjaException(
              String.format(
                  Locale.ROOT,
                  "%d values for %d names, expected as many",
                  values.size(),
                  several.targets().size()));
        }
        for (int i = 0; i < values.size(); i++) {
          assign(several.targets().get(i), values.get(i), scope);
        }
      }
    }
  }

  /// Evaluated arguments.
  Arguments arguments(Expr.Args args, Map<String, Value> more, Scope scope) {
    List<Value> positional = new ArrayList<>();
    for (Expr argument : args.positional()) {
      positional.add(value(argument, scope));
    }
    Map<String, Value> named = new LinkedHashMap<>();
    args.named().forEach((name, argument) -> named.put(name, value(argument, scope)));
    named.putAll(more);
    return new Arguments(positional, named);
  }
}
