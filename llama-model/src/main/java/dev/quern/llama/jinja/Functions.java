package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Int;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The functions that a template finds: Jinja's, and transformers' `raise_exception` and
/// `strftime_now`.
final class Functions {
  /// As Jinja's sandbox has it.
  private static final int MAX_RANGE = 100_000;

  private static final List<Function> ALL =
      List.of(
          new Function("range", (evaluator, arguments) -> range(evaluator.budget(), arguments)),
          new Function("namespace", (_, arguments) -> namespace(arguments)),
          new Function("dict", (_, arguments) -> dict(arguments)),
          new Function("raise_exception", Functions::raise),
          new Function(
              "strftime_now",
              (evaluator, arguments) -> {
                Value format = arguments.one("strftime_now");
                Text text = Operators.text(format, "strftime_now");
                return Text.own(Strftime.format(text.chars(), evaluator.now()));
              }));

  private Functions() {}

  static void addTo(Scope scope) {
    ALL.forEach(function -> scope.set(function.name(), function));
  }

  private static Value range(Budget budget, Arguments arguments) {
    List<Value> bounds = arguments.positional();
    if (bounds.isEmpty() || bounds.size() > 3 || !arguments.named().isEmpty()) {
      throw new JinjaException("range with other arguments, expected one to three numbers");
    }
    long from = bounds.size() == 1 ? 0 : Operators.integer(bounds.get(0));
    long to = Operators.integer(bounds.get(bounds.size() == 1 ? 0 : 1));
    long step = bounds.size() == 3 ? Operators.integer(bounds.get(2)) : 1;
    if (step == 0) {
      throw new JinjaException("range by 0, expected another step");
    }
    List<Value> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i = Math.addExact(i, step)) {
      if (numbers.size() == MAX_RANGE) {
        throw new JinjaException(
            String.format(
                Locale.ROOT, "a range of more than %d numbers, expected fewer", MAX_RANGE));
      }
      budget.steps(4);
      numbers.add(new Int(i));
    }
    return new Value.Sequence(Value.Kind.RANGE, numbers);
  }

  private static Value namespace(Arguments arguments) {
    Map<String, Value> names = new LinkedHashMap<>();
    for (Value value : arguments.positional()) {
      if (!(value instanceof Value.Dict dict)) {
        throw Operators.unfit("namespace", value, "a dict");
      }
      dict.entries()
          .forEach((key, entry) -> names.put(Operators.text(key, "namespace").chars(), entry));
    }
    names.putAll(arguments.named());
    return new Value.Namespace(names);
  }

  private static Value dict(Arguments arguments) {
    Map<Value, Value> entries = new LinkedHashMap<>();
    for (Value value : arguments.positional()) {
      if (!(value instanceof Value.Dict dict)) {
        throw Operators.unfit("dict", value, "a dict");
      }
      entries.putAll(dict.entries());
    }
    arguments.named().forEach((name, value) -> entries.put(Text.own(name), value));
    return new Value.Dict(entries);
  }

  private static Value raise(Evaluator evaluator, Arguments arguments) {
    Text message = PythonText.str(arguments.one("raise_exception"), evaluator.budget());
    throw new JinjaException("the template refuses this: " + message.chars());
  }
}
