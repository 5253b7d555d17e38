package dev.quern.llama.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The values of expressions.
final class Expressions {
  private final Evaluator evaluator;
  private final Budget budget;

  Expressions(Evaluator evaluator, Budget budget) {
    this.evaluator = evaluator;
    this.budget = budget;
  }

  Value value(Expr expression, Scope scope) {
    budget.enter();
    budget.steps(1);
    Value value =
        switch (expression) {
          case Expr.Literal literal -> literal.value();
          case Expr.Name name -> scope.get(name.name());
          case Expr.ListOf list -> new Value.Sequence(list.kind(), values(list.elements(), scope));
          case Expr.DictOf dict -> dict(dict, scope);
          case Expr.Attribute attribute ->
              Members.attribute(value(attribute.of(), scope), attribute.name());
          case Expr.Item item -> {
            Value of = value(item.of(), scope);
            budget.look(of);
            yield Members.item(of, value(item.index(), scope));
          }
          case Expr.Slice slice -> slice(slice, scope);
          case Expr.Call call -> call(call, Map.of(), scope);
          case Expr.Filter filter -> {
            Value of = value(filter.of(), scope);
            Arguments arguments = evaluator.arguments(filter.args(), Map.of(), scope);
            yield Filters.apply(filter.name(), evaluator, of, arguments);
          }
          case Expr.Test test -> {
            Value of = value(test.of(), scope);
            Arguments arguments = evaluator.arguments(test.args(), Map.of(), scope);
            yield Operators.bool(ValueTests.holds(test.name(), of, arguments, budget));
          }
          case Expr.Not not -> Operators.bool(!Operators.isTrue(value(not.of(), scope)));
          case Expr.Sign sign -> sign(sign, value(sign.of(), scope));
          case Expr.Binary binary ->
              Operators.binary(
                  binary.operator(),
                  value(binary.left(), scope),
                  value(binary.right(), scope),
                  budget);
          case Expr.Compare compare -> compare(compare, scope);
          case Expr.Concat concat -> {
            TextBuilder out = new TextBuilder(budget);
            values(concat.parts(), scope).forEach(part -> out.append(PythonText.str(part, budget)));
            yield out.text();
          }
          case Expr.And and -> {
            Value left = value(and.left(), scope);
            yield Operators.isTrue(left) ? value(and.right(), scope) : left;
          }
          case Expr.Or or -> {
            Value left = value(or.left(), scope);
            yield Operators.isTrue(left) ? left : value(or.right(), scope);
          }
          case Expr.Conditional conditional -> conditional(conditional, scope);
        };
    budget.leave();
    return value;
  }

  /// @param more named arguments beside those that are written
  Value call(Expr.Call call, Map<String, Value> more, Scope scope) {
    Value callee = value(call.callee(), scope);
    if (!(callee instanceof Value.Callable callable)) {
      throw Operators.unfit("the call", callee, "a function or a macro");
    }
    return callable.call(evaluator, evaluator.arguments(call.args(), more, scope));
  }

  private List<Value> values(List<Expr> expressions, Scope scope) {
    List<Value> values = new ArrayList<>(expressions.size());
    for (Expr expression : expressions) {
      values.add(value(expression, scope));
    }
    return values;
  }

  private Value dict(Expr.DictOf dict, Scope scope) {
    Map<Value, Value> entries = new LinkedHashMap<>();
    for (int i = 0; i < dict.keys().size(); i++) {
      Value key = Operators.key(value(dict.keys().get(i), scope));
      entries.put(key, value(dict.values().get(i), scope));
    }
    return new Value.Dict(entries);
  }

  private Value sign(Expr.Sign sign, Value of) {
    if (!Operators.isNumber(of)) {
      throw Operators.unfit("the sign", of, "a number");
    }
    return sign.negative() && of instanceof Value.Real real
        ? new Value.Real(-real.value())
        : Numbers.binary(sign.negative() ? "-" : "+", new Value.Int(0), of);
  }

  private Value compare(Expr.Compare compare, Scope scope) {
    Value left = value(compare.first(), scope);
    for (Expr.Operand operand : compare.rest()) {
      Value right = value(operand.of(), scope);
      if (!holds(operand.operator(), left, right, budget)) {
        return Operators.bool(false);
      }
      left = right;
    }
    return Operators.bool(true);
  }

  static boolean holds(String operator, Value left, Value right, Budget budget) {
    return switch (operator) {
      case "==" -> Operators.equal(left, right, budget);
      case "!=" -> !Operators.equal(left, right, budget);
      case "in" -> Operators.contains(right, left, budget);
      case "not in" -> !Operators.contains(right, left, budget);
      case "<" -> Operators.order(left, right, budget) < 0;
      case "<=" -> Operators.order(left, right, budget) <= 0;
      case ">" -> Operators.order(left, right, budget) > 0;
      default -> Operators.order(left, right, budget) >= 0;
    };
  }

  private Value conditional(Expr.Conditional conditional, Scope scope) {
    if (Operators.isTrue(value(conditional.test(), scope))) {
      return value(conditional.then(), scope);
    }
    return conditional
        .otherwise()
        .map(otherwise -> value(otherwise, scope))
        .orElseGet(() -> new Value.Undefined("an if without else"));
  }

  private Value slice(Expr.Slice slice, Scope scope) {
    return Members.slice(
        value(slice.of(), scope),
        bound(slice.from(), scope),
        bound(slice.to(), scope),
        bound(slice.step(), scope),
        budget);
  }

  /// Empty where it is left out, or none.
  private Optional<Long> bound(Optional<Expr> bound, Scope scope) {
    return bound
        .map(expression -> value(expression, scope))
        .filter(value -> value != Value.None.NONE)
        .map(Operators::integer);
  }
}
