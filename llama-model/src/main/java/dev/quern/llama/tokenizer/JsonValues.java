package dev.quern.llama.tokenizer;

import dev.quern.llama.text.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Values of JSON that an application passes to a chat template: copied, and refused where a
/// template could not have them.
final class JsonValues {
  private static final int MAX_DEPTH = 32; // as Json reads them

  private JsonValues() {}

  /// The object that a text holds.
  ///
  /// @param what messages call it
  static Map<String, Object> parsed(String what, String json) {
    return Json.object(what, json, TokenizerException::ofCaller);
  }

  /// An unmodifiable copy, in the same order.
  ///
  /// @param what messages call it
  static Map<String, Object> object(String what, Map<?, ?> values) {
    return object(what, values, MAX_DEPTH);
  }

  private static Map<String, Object> object(String what, Map<?, ?> values, int depth) {
    Map<String, Object> copy = new LinkedHashMap<>();
    values.forEach((key, value) -> {
      if (!(key instanceof String name)) {
        throw TokenizerException.ofCaller(what + ": a key that is no text, expected names");
      }
      copy.put(name, value(what, value, depth - 1));
    });
    return Collections.unmodifiableMap(copy);
  }

  private static Object value(String what, Object value, int depth) {
    if (depth < 0) {
      throw TokenizerException.ofCaller(
          String.format(
              Locale.ROOT, "%s: more than %d levels, expected at most as many", what, MAX_DEPTH));
    }
    return switch (value) {
      case null -> null;
      case Map<?, ?> map -> object(what, map, depth);
      case List<?> list -> {
        List<Object> copy = new ArrayList<>();
        list.forEach(element -> copy.add(value(what, element, depth - 1)));
        yield Collections.unmodifiableList(copy);
      }
      case String _, Boolean _, Integer _, Long _, Short _, Byte _, Float _, Double _ -> value;
      default ->
          throw TokenizerException.ofCaller(
              String.format(
                  Locale.ROOT,
                  "%s: a %s, expected Map, List, String, Boolean, null, or a number of 64 bits",
                  what,
                  value.getClass().getName()));
    };
  }
}
