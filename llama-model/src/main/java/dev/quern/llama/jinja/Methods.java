package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Dict;
import dev.quern.llama.jinja.Value.Kind;
import dev.quern.llama.jinja.Value.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Python's methods of strings, lists and dicts that leave these as they are. Those that change
/// them are not there, as in the immutable sandbox.
final class Methods {
  /// Of strings, which [TextMethods] has not: they are there, and their call is refused.
  private static final Set<String> OF_TEXT =
      Set.of(
          "casefold",
          "center",
          "encode",
          "expandtabs",
          "format",
          "format_map",
          "isascii",
          "isidentifier",
          "isnumeric",
          "isprintable",
          "istitle",
          "ljust",
          "maketrans",
          "rjust",
          "swapcase",
          "translate",
          "zfill");

  private static final Set<String> OF_DICT = Set.of("copy", "fromkeys");

  private Methods() {}

  static Optional<Value> find(Value of, String name) {
    return switch (of) {
      case Text text when TextMethods.has(name) ->
          Optional.of(
              new Function(
                  "str." + name,
                  (evaluator, arguments) ->
                      TextMethods.call(name, text, arguments, evaluator.budget())));
      case Text _ when OF_TEXT.contains(name) -> Optional.of(absent("str." + name));
      case Dict dict -> ofDict(dict, name);
      case Sequence sequence when sequence.kind() == Kind.LIST || sequence.kind() == Kind.TUPLE ->
          ofSequence(sequence, name);
      default -> Optional.empty();
    };
  }

  private static Function absent(String name) {
    return new Function(
        name,
        (_, _) -> {
          throw new JinjaException(
              String.format(
                  Locale.ROOT,
                  "the method %s, expected one of [%s]",
                  name,
                  TextMethods.names() + ", get, items, keys, values, index, count"));
        });
  }

  private static Optional<Value> ofDict(Dict dict, String name) {
    if (OF_DICT.contains(name)) {
      return Optional.of(absent("dict." + name));
    }
    return switch (name) {
      case "get" -> Optional.of(new Function("dict.get", (_, arguments) -> get(dict, arguments)));
      case "items" -> view("dict.items", Kind.DICT_ITEMS, items(dict));
      case "keys" -> view("dict.keys", Kind.DICT_KEYS, List.copyOf(dict.entries().keySet()));
      case "values" -> view("dict.values", Kind.DICT_VALUES, List.copyOf(dict.entries().values()));
      default -> Optional.empty();
    };
  }

  private static Value get(Dict dict, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("dict.get", "key", "default");
    Value key = Operators.key(Arguments.need(bound, "key", "dict.get"));
    return dict.get(key, bound.getOrDefault("default", Value.None.NONE));
  }

  static List<Value> items(Dict dict) {
    List<Value> items = new ArrayList<>();
    dict.entries().forEach((key, value) -> items.add(Sequence.tuple(key, value)));
    return items;
  }

  private static Optional<Value> view(String name, Kind kind, List<Value> elements) {
    return Optional.of(
        new Function(
            name,
            (evaluator, arguments) -> {
              arguments.none(name);
              evaluator.budget().steps(elements.size());
              return new Sequence(kind, elements);
            }));
  }

  private static Optional<Value> ofSequence(Sequence sequence, String name) {
    return switch (name) {
      case "index" ->
          Optional.of(
              new Function(
                  "list.index",
                  (evaluator, arguments) -> {
                    Value wanted = arguments.one("list.index");
                    for (int i = 0; i < sequence.elements().size(); i++) {
                      if (Operators.equal(sequence.elements().get(i), wanted, evaluator.budget())) {
                        return new Value.Int(i);
                      }
                    }
                    throw new JinjaException("list.index of a value that is not there");
                  }));
      case "count" ->
          Optional.of(
              new Function(
                  "list.count",
                  (evaluator, arguments) -> {
                    Value wanted = arguments.one("list.count");
                    return new Value.Int(
                        sequence.elements().stream()
                            .filter(e -> Operators.equal(e, wanted, evaluator.budget()))
                            .count());
                  }));
      default -> Optional.empty();
    };
  }
}
