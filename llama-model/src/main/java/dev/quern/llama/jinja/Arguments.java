package dev.quern.llama.jinja;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What a filter, a test, a method or a macro is called with.
record Arguments(List<Value> positional, Map<String, Value> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  /// The arguments by the names of a function's parameters.
  ///
  /// @throws JinjaException where one has no parameter, or a parameter two
  Map<String, Value> bind(String function, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new JinjaException(
          String.format(
              Locale.ROOT,
              "%s with %d arguments, expected at most %d",
              function,
              positional.size(),
              parameters.length));
    }
    Map<String, Value> bound = new LinkedHashMap<>();
    for (int i = 0; i < positional.size(); i++) {
      bound.put(parameters[i], positional.get(i));
    }
    named.forEach((name, value) -> {
      if (!Arrays.asList(parameters).contains(name) || bound.put(name, value) != null) {
        throw new JinjaException(
            String.format(
                Locale.ROOT,
                "%s with the argument %s, expected each of %s once",
                function,
                name,
                Arrays.toString(parameters)));
      }
    });
    return bound;
  }

  /// The only argument.
  Value one(String function) {
    return need(bind(function, "value"), "value", function);
  }

  void none(String function) {
    bind(function);
  }

  /// These without the first, which is there.
  Arguments behindFirst() {
    return new Arguments(positional.subList(1, positional.size()), named);
  }

  static Value need(Map<String, Value> bound, String parameter, String function) {
    return Optional.ofNullable(bound.get(parameter))
        .orElseThrow(() ->
            new JinjaException(
                String.format(
                    Locale.ROOT, "%s without %s, expected this argument", function, parameter)));
  }
}
