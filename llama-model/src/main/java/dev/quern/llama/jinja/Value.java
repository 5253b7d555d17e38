package dev.quern.llama.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a template reckons with, and all that it can reach.
sealed interface Value
    permits Text,
        Value.None,
        Value.Bool,
        Value.Int,
        Value.Real,
        Value.Sequence,
        Value.Generator,
        Value.Dict,
        Value.Undefined,
        Value.Namespace,
        Value.Callable,
        Loop {

  /// Python's `None`.
  enum None implements Value {
    NONE
  }

  /// Python's `bool`.
  record Bool(boolean value) implements Value {}

  /// Python's `int`, of 64 bits: more is refused.
  record Int(long value) implements Value {}

  /// Python's `float`.
  record Real(double value) implements Value {}

  /// How a sequence is printed and what it can do.
  enum Kind {
    LIST,
    TUPLE,
    RANGE,
    DICT_KEYS,
    DICT_VALUES,
    DICT_ITEMS;

    /// Whether elements are had by their numbers.
    boolean isIndexed() {
      return this == LIST || this == TUPLE || this == RANGE;
    }
  }

  /// Values in an order, of a known length.
  record Sequence(Kind kind, List<Value> elements) implements Value {
    static Sequence list(List<Value> elements) {
      return new Sequence(Kind.LIST, elements);
    }

    static Sequence tuple(Value... elements) {
      return new Sequence(Kind.TUPLE, List.of(elements));
    }
  }

  /// Values that are seen once: what Jinja's filters `map`, `select` and their like return.
  final class Generator implements Value {
    private List<Value> rest;

    Generator(List<Value> elements) {
      rest = elements;
    }

    List<Value> take() {
      List<Value> taken = rest;
      rest = List.of();
      return taken;
    }

    /// The first of the rest, which no longer has it.
    Value next(Value absent) {
      if (rest.isEmpty()) {
        return absent;
      }
      Value first = rest.getFirst();
      rest = rest.subList(1, rest.size());
      return first;
    }
  }

  /// Python's `dict`, in the order of its making.
  record Dict(Map<Value, Value> entries) implements Value {
    Value get(Value key, Value absent) {
      Value value = entries.get(key);
      return value == null ? absent : value;
    }
  }

  /// What is not there. It prints as nothing, counts as false and has no elements; anything else is
  /// an error that says `what`.
  record Undefined(String what) implements Value {}

  /// Jinja's `namespace`: names whose values a template sets.
  record Namespace(Map<String, Value> names) implements Value {}

  /// What can be called.
  non-sealed interface Callable extends Value {
    /// For messages.
    String name();

    Value call(Evaluator evaluator, Arguments arguments);
  }

  /// The value of what JSON has.
  ///
  /// @param json Map, List, String, [Own], Number, Boolean or null
  static Value given(Object json) {
    return switch (json) {
      case null -> None.NONE;
      case String text -> Text.given(text);
      case Own own -> Text.own(own.text());
      case Boolean bool -> new Bool(bool);
      case Float real -> new Real(real.doubleValue());
      case Double real -> new Real(real);
      case Number number -> new Int(number.longValue());
      case List<?> list -> {
        List<Value> elements = new ArrayList<>(list.size());
        list.forEach(element -> elements.add(given(element)));
        yield Sequence.list(elements);
      }
      case Map<?, ?> map -> {
        Map<Value, Value> entries = new LinkedHashMap<>();
        map.forEach((key, value) -> entries.put(given(key), given(value)));
        yield new Dict(entries);
      }
      default -> throw new IllegalArgumentException(json.getClass() + ", expected JSON's kinds");
    };
  }
}
