package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Dict;
import dev.quern.llama.jinja.Value.Generator;
import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.None;
import dev.quern.llama.jinja.Value.Sequence;
import dev.quern.llama.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// Jinja's filters of lists and dicts.
final class SequenceFilters {
  static final Map<String, Filters.Filter> FILTERS =
      Map.ofEntries(
          Map.entry("length", (_, value, a) -> length(value, a)),
          Map.entry("count", (_, value, a) -> length(value, a)),
          Map.entry("list", SequenceFilters::list),
          Map.entry("first", SequenceFilters::first),
          Map.entry("last", SequenceFilters::last),
          Map.entry("join", SequenceFilters::join),
          Map.entry("reverse", SequenceFilters::reverse),
          Map.entry("items", SequenceFilters::items),
          Map.entry("dictsort", SequenceFilters::dictSort),
          Map.entry("sort", SequenceFilters::sort),
          Map.entry("unique", SequenceFilters::unique),
          Map.entry("min", (evaluator, value, a) -> extreme("min", evaluator, value, a)),
          Map.entry("max", (evaluator, value, a) -> extreme("max", evaluator, value, a)),
          Map.entry("sum", SequenceFilters::sum),
          Map.entry("map", SequenceFilters::map),
          Map.entry("select", (evaluator, value, a) -> select(evaluator, value, a, true)),
          Map.entry("reject", (evaluator, value, a) -> select(evaluator, value, a, false)),
          Map.entry("selectattr", (evaluator, value, a) -> selectBy(evaluator, value, a, true)),
          Map.entry("rejectattr", (evaluator, value, a) -> selectBy(evaluator, value, a, false)));

  private SequenceFilters() {}

  private static Value length(Value value, Arguments arguments) {
    arguments.none("length");
    return new Int(Operators.length(value));
  }

  private static Value list(Evaluator evaluator, Value value, Arguments arguments) {
    arguments.none("list");
    return Sequence.list(Operators.elements(value, evaluator.budget()));
  }

  private static Value first(Evaluator evaluator, Value value, Arguments arguments) {
    arguments.none("first");
    Undefined absent = new Undefined("the first of nothing");
    if (value instanceof Generator generator) {
      return generator.next(absent);
    }
    List<Value> elements = Operators.elements(value, evaluator.budget());
    return elements.isEmpty() ? absent : elements.getFirst();
  }

  private static Value last(Evaluator evaluator, Value value, Arguments arguments) {
    arguments.none("last");
    if (value instanceof Generator) {
      throw Operators.unfit("last", value, "a list");
    }
    List<Value> elements = Operators.elements(value, evaluator.budget());
    return elements.isEmpty() ? new Undefined("the last of nothing") : elements.getLast();
  }

  private static Value join(Evaluator evaluator, Value value, Arguments arguments) {
    Budget budget = evaluator.budget();
    Map<String, Value> bound = arguments.bind("join", "d", "attribute");
    Text between = PythonText.str(bound.getOrDefault("d", Text.EMPTY), budget);
    UnaryOperator<Value> key = attribute(bound.getOrDefault("attribute", None.NONE));
    TextBuilder out = new TextBuilder(budget);
    Text separator = Text.EMPTY;
    for (Value element : Operators.elements(value, budget)) {
      out.append(separator).append(PythonText.str(key.apply(element), budget));
      separator = between;
    }
    return out.text();
  }

  private static Value reverse(Evaluator evaluator, Value value, Arguments arguments) {
    arguments.none("reverse");
    List<Value> elements = new ArrayList<>(Operators.elements(value, evaluator.budget()));
    Collections.reverse(elements);
    if (value instanceof Text) {
      TextBuilder out = new TextBuilder(evaluator.budget());
      elements.forEach(c -> out.append((Text) c));
      return out.text();
    }
    return value instanceof Generator ? Sequence.list(elements) : new Generator(elements);
  }

  private static Value items(Evaluator evaluator, Value value, Arguments arguments) {
    arguments.none("items");
    return switch (value) {
      case Undefined _ -> new Generator(List.of());
      case Dict dict -> {
        evaluator.budget().steps(dict.entries().size());
        yield new Generator(Methods.items(dict));
      }
      default -> throw Operators.unfit("items", value, "a dict");
    };
  }

  private static Value dictSort(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
    Value by = bound.getOrDefault("by", Text.own("key"));
    boolean byValue = Text.own("value").equals(by);
    if (!(value instanceof Dict dict) || !byValue && !Text.own("key").equals(by)) {
      throw Operators.unfit("dictsort", value, "a dict, by its key or its value");
    }
    Int place = new Int(byValue ? 1 : 0);
    return sorted(evaluator, Methods.items(dict), bound, pair -> Members.item(pair, place));
  }

  private static Value sort(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
    UnaryOperator<Value> key = attribute(bound.getOrDefault("attribute", None.NONE));
    return sorted(evaluator, Operators.elements(value, evaluator.budget()), bound, key);
  }

  private static Value sorted(
      Evaluator evaluator,
      List<Value> elements,
      Map<String, Value> bound,
      UnaryOperator<Value> key) {
    UnaryOperator<Value> spelt = spelling(evaluator, bound);
    record Keyed(Value key, Value element) {}
    List<Keyed> keyed = new ArrayList<>();
    elements.forEach(element -> keyed.add(new Keyed(spelt.apply(key.apply(element)), element)));
    Comparator<Keyed> order = (a, b) -> Operators.order(a.key(), b.key(), evaluator.budget());
    boolean reverse = Operators.isTrue(bound.getOrDefault("reverse", None.NONE));
    keyed.sort(reverse ? order.reversed() : order);
    return Sequence.list(new ArrayList<>(keyed.stream().map(Keyed::element).toList()));
  }

  /// What strings are compared by: without `case_sensitive`, their small letters.
  private static UnaryOperator<Value> spelling(Evaluator evaluator, Map<String, Value> bound) {
    boolean sensitive = Operators.isTrue(bound.getOrDefault("case_sensitive", None.NONE));
    return value ->
        value instanceof Text text && !sensitive
            ? TextMethods.lower(text, evaluator.budget())
            : value;
  }

  private static Value unique(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("unique", "case_sensitive", "attribute");
    UnaryOperator<Value> key = attribute(bound.getOrDefault("attribute", None.NONE));
    UnaryOperator<Value> spelt = spelling(evaluator, bound);
    Set<Value> seen = new LinkedHashSet<>();
    List<Value> kept = new ArrayList<>();
    for (Value element : Operators.elements(value, evaluator.budget())) {
      if (seen.add(Operators.key(spelt.apply(key.apply(element))))) {
        kept.add(element);
      }
    }
    return new Generator(kept);
  }

  private static Value extreme(String name, Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind(name, "case_sensitive", "attribute");
    UnaryOperator<Value> key = attribute(bound.getOrDefault("attribute", None.NONE));
    List<Value> elements = Operators.elements(value, evaluator.budget());
    Sequence sorted = (Sequence) sorted(evaluator, elements, bound, key);
    if (elements.isEmpty()) {
      return new Undefined("the " + name + " of nothing");
    }
    Value least = sorted.elements().getFirst();
    if (name.equals("min")) {
      return least;
    }
    UnaryOperator<Value> spelt = spelling(evaluator, bound);
    Value greatest = spelt.apply(key.apply(sorted.elements().getLast()));
    // of equal ones the first
    return sorted.elements().stream()
        .filter(e -> Operators.order(spelt.apply(key.apply(e)), greatest, evaluator.budget()) == 0)
        .findFirst()
        .orElseThrow();
  }

  private static Value sum(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("sum", "attribute", "start");
    UnaryOperator<Value> key = attribute(bound.getOrDefault("attribute", None.NONE));
    Value sum = bound.getOrDefault("start", new Int(0));
    for (Value element : Operators.elements(value, evaluator.budget())) {
      sum = Operators.binary("+", sum, key.apply(element), evaluator.budget());
    }
    return sum;
  }

  private static Value map(Evaluator evaluator, Value value, Arguments arguments) {
    List<Value> mapped = new ArrayList<>();
    if (arguments.positional().isEmpty()) {
      Map<String, Value> bound = arguments.bind("map", "attribute", "default");
      UnaryOperator<Value> key = attribute(Arguments.need(bound, "attribute", "map"));
      Value absent = bound.get("default");
      for (Value element : elementsIfAny(evaluator, value)) {
        Value one = key.apply(element);
        mapped.add(one instanceof Undefined && absent != null ? absent : one);
      }
      return new Generator(mapped);
    }
    String name = Operators.text(arguments.positional().getFirst(), "map").chars();
    for (Value element : elementsIfAny(evaluator, value)) {
      mapped.add(Filters.apply(name, evaluator, element, arguments.behindFirst()));
    }
    return new Generator(mapped);
  }

  /// What counts as false has no elements, even if it is none.
  private static List<Value> elementsIfAny(Evaluator evaluator, Value value) {
    return Operators.isTrue(value) ? Operators.elements(value, evaluator.budget()) : List.of();
  }

  private static Value select(Evaluator evaluator, Value value, Arguments arguments, boolean kept) {
    return selected(evaluator, value, test(arguments, evaluator.budget()), kept);
  }

  private static Value selectBy(
      Evaluator evaluator, Value value, Arguments arguments, boolean kept) {
    if (arguments.positional().isEmpty()) {
      throw new JinjaException("selectattr without an attribute, expected its name");
    }
    UnaryOperator<Value> key = attribute(arguments.positional().getFirst());
    Predicate<Value> test = test(arguments.behindFirst(), evaluator.budget());
    return selected(evaluator, value, element -> test.test(key.apply(element)), kept);
  }

  private static Value selected(
      Evaluator evaluator, Value value, Predicate<Value> test, boolean kept) {
    List<Value> selected = new ArrayList<>();
    for (Value element : elementsIfAny(evaluator, value)) {
      if (test.test(element) == kept) {
        selected.add(element);
      }
    }
    return new Generator(selected);
  }

  /// The test of a name with its arguments; without a name, whether a value counts as true.
  private static Predicate<Value> test(Arguments arguments, Budget budget) {
    if (arguments.positional().isEmpty()) {
      return Operators::isTrue;
    }
    String name = Operators.text(arguments.positional().getFirst(), "a test's name").chars();
    if (!ValueTests.has(name)) {
      throw new JinjaException("a test of another name, expected one of " + ValueTests.names());
    }
    return value -> ValueTests.holds(name, value, arguments.behindFirst(), budget);
  }

  /// Takes `a.b.0` of a value; without a name, the value.
  private static UnaryOperator<Value> attribute(Value name) {
    return switch (name) {
      case None _ -> UnaryOperator.identity();
      case Int index -> value -> Members.item(value, index);
      default -> {
        String path = Operators.text(name, "an attribute's name").chars();
        if (path.indexOf(',') >= 0) {
          throw new JinjaException("several attributes, expected one");
        }
        yield value -> {
          Value at = value;
          for (String part : path.split("\\.", -1)) {
            at =
                Members.item(
                    at,
                    part.matches("[0-9]{1,9}") ? new Int(Long.parseLong(part)) : Text.own(part));
          }
          return at;
        };
      }
    };
  }
}
