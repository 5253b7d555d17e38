package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Bool;
import dev.quern.llama.jinja.Value.Dict;
import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.Real;
import dev.quern.llama.jinja.Value.Sequence;
import dev.quern.llama.jinja.Value.Undefined;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// Jinja's tests, `value is name`.
final class ValueTests {
  private static final Int TWO = new Int(2);

  private static final Map<String, Predicate<Value>> OF_ONE =
      Map.ofEntries(
          Map.entry("defined", value -> !(value instanceof Undefined)),
          Map.entry("undefined", value -> value instanceof Undefined),
          Map.entry("none", value -> value instanceof Value.None),
          Map.entry("boolean", value -> value instanceof Bool),
          Map.entry("true", value -> value instanceof Bool bool && bool.value()),
          Map.entry("false", value -> value instanceof Bool bool && !bool.value()),
          Map.entry("integer", value -> value instanceof Int),
          Map.entry("float", value -> value instanceof Real),
          Map.entry("number", Operators::isNumber),
          Map.entry("string", value -> value instanceof Text),
          Map.entry("mapping", value -> value instanceof Dict),
          Map.entry("sequence", ValueTests::isSequence),
          Map.entry("iterable", ValueTests::isIterable),
          Map.entry(
              "callable", value -> value instanceof Value.Callable || value instanceof Undefined),
          Map.entry("escaped", value -> value instanceof Text text && text.markup()),
          Map.entry("odd", value -> isRest(1, value, TWO)),
          Map.entry("even", value -> isRest(0, value, TWO)),
          Map.entry("filter", value -> value instanceof Text text && Filters.has(text.chars())),
          Map.entry("test", value -> value instanceof Text text && has(text.chars())));

  /// Operators by their names.
  private static final Map<String, String> COMPARED =
      Map.ofEntries(
          Map.entry("==", "=="),
          Map.entry("eq", "=="),
          Map.entry("equalto", "=="),
          Map.entry("!=", "!="),
          Map.entry("ne", "!="),
          Map.entry("<", "<"),
          Map.entry("lt", "<"),
          Map.entry("lessthan", "<"),
          Map.entry("<=", "<="),
          Map.entry("le", "<="),
          Map.entry(">", ">"),
          Map.entry("gt", ">"),
          Map.entry("greaterthan", ">"),
          Map.entry(">=", ">="),
          Map.entry("ge", ">="),
          Map.entry("in", "in"));

  private static final Set<String> OTHERS = Set.of("divisibleby", "sameas", "lower", "upper");

  private ValueTests() {}

  static boolean has(String name) {
    return OF_ONE.containsKey(name) || COMPARED.containsKey(name) || OTHERS.contains(name);
  }

  static Set<String> names() {
    Set<String> names = new TreeSet<>(OF_ONE.keySet());
    names.addAll(COMPARED.keySet());
    names.addAll(OTHERS);
    return names;
  }

  static boolean holds(String name, Value value, Arguments arguments, Budget budget) {
    budget.look(value);
    if (OF_ONE.containsKey(name)) {
      arguments.none(name);
      return OF_ONE.get(name).test(value);
    }
    if (COMPARED.containsKey(name)) {
      return Expressions.holds(COMPARED.get(name), value, arguments.one(name), budget);
    }
    return switch (name) {
      case "lower" -> {
        arguments.none(name);
        yield TextMethods.isLower(PythonText.str(value, budget));
      }
      case "upper" -> {
        arguments.none(name);
        yield TextMethods.isUpper(PythonText.str(value, budget));
      }
      case "divisibleby" -> isRest(0, value, arguments.one(name));
      default -> { // sameas
        Value other = arguments.one(name);
        yield value instanceof Bool ? value.equals(other) : value == other;
      }
    };
  }

  private static boolean isRest(long rest, Value value, Value divisor) {
    if (!Operators.isNumber(value) || !Operators.isNumber(divisor)) {
      throw Operators.unfit("the rest", value, "a number");
    }
    return Operators.real(Numbers.binary("%", value, divisor)) == rest;
  }

  /// With a length and elements that are had by a key or number, so a dict and a string too.
  private static boolean isSequence(Value value) {
    return switch (value) {
      case Text _, Dict _, Undefined _ -> true;
      case Sequence sequence -> sequence.kind().isIndexed();
      default -> false;
    };
  }

  private static boolean isIterable(Value value) {
    return switch (value) {
      case Text _, Dict _, Undefined _, Sequence _, Value.Generator _, Loop _ -> true;
      default -> false;
    };
  }
}
