package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Printable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A schema within a schema, with accessors that say what is wrong with a keyword's value.
///
/// @param pointer to it (RFC 6901)
/// @param members of the object; `true` has none, and `false` has [#FALSE]
record SchemaNode(String pointer, Map<String, Object> members) {
  /// In place of the schema that nothing fits.
  static final Map<String, Object> FALSE = Map.of("not", true);

  private static final int MAX_COUNT = 1_000_000_000;
  private static final int MAX_SCALE = 100;

  /// Most schemas of `prefixItems`.
  static final int MAX_ITEMS = 256;

  /// Keywords that say nothing of whether a value fits.
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$comment",
          "$schema",
          "$defs",
          "definitions");

  /// @throws RequestException if the value is no schema
  static SchemaNode of(String pointer, Object value) {
    return switch (value) {
      case Boolean b -> new SchemaNode(pointer, b ? Map.of() : FALSE);
      case Map<?, ?> m -> {
        @SuppressWarnings("unchecked") // Json makes no other maps
        Map<String, Object> members = (Map<String, Object>) m;
        yield new SchemaNode(pointer, members);
      }
      case null, default ->
          throw new RequestException(
              "constraint: schema, "
                  + Printable.quoted(pointer, 200)
                  + ": expected a schema: an object, true or false");
    };
  }

  /// The keywords that say something of values.
  Set<String> keywords() {
    Set<String> keywords = new TreeSet<>(members.keySet());
    keywords.removeAll(ANNOTATIONS);
    if (pointer.isEmpty()) {
      keywords.remove("$id"); // what the references of the whole are relative to
    }
    return keywords;
  }

  boolean has(String key) {
    return members.containsKey(key);
  }

  /// @throws RequestException if there is a keyword besides these
  void allow(String beside, String... keywords) {
    Set<String> others = keywords();
    others.removeAll(Set.of(keywords));
    if (!others.isEmpty()) {
      throw fail(others.iterator().next(), "can't be kept to " + beside);
    }
  }

  /// A schema that a keyword has.
  SchemaNode schema(String key) {
    return of(child(key), members.get(key));
  }

  /// The schemas of an array that a keyword has.
  List<SchemaNode> schemas(String key) {
    List<SchemaNode> schemas = new ArrayList<>();
    for (Object value : list(key)) {
      schemas.add(of(child(key) + "/" + schemas.size(), value));
    }
    return schemas;
  }

  /// The schemas of an object that a keyword has, by their names; none where there is no keyword.
  List<Map.Entry<String, SchemaNode>> namedSchemas(String key) {
    if (!has(key)) {
      return List.of();
    }
    if (!(members.get(key) instanceof Map<?, ?> map)) {
      throw fail(key, "expected an object");
    }
    List<Map.Entry<String, SchemaNode>> all = new ArrayList<>();
    map.forEach((name, value) -> {
      String n = whole(key, (String) name);
      all.add(Map.entry(n, of(child(key) + "/" + escaped(n), value)));
    });
    return all;
  }

  /// An array that is not empty.
  List<?> list(String key) {
    if (members.get(key) instanceof List<?> list && !list.isEmpty()) {
      return list;
    }
    throw fail(key, "expected an array of at least one");
  }

  String string(String key) {
    if (members.get(key) instanceof String s) {
      return whole(key, s);
    }
    throw fail(key, "expected a string");
  }

  /// A string, or an array of strings; none where there is no keyword.
  List<String> strings(String key) {
    if (!has(key)) {
      return List.of();
    }
    List<?> all = members.get(key) instanceof List<?> list ? list : List.of(string(key));
    return all.stream()
        .map(value -> {
          if (value instanceof String s) {
            return whole(key, s);
          }
          throw fail(key, "expected strings");
        })
        .distinct()
        .toList();
  }

  /// A count, where there is one.
  Optional<Integer> count(String key) {
    Optional<BigDecimal> n = number(key);
    n.ifPresent(count -> {
      if (count.signum() < 0
          || count.compareTo(BigDecimal.valueOf(MAX_COUNT)) > 0
          || count.remainder(BigDecimal.ONE).signum() != 0) {
        throw fail(key, "expected an integer from 0 to " + MAX_COUNT);
      }
    });
    return n.map(BigDecimal::intValue);
  }

  /// A number, where there is one.
  Optional<BigDecimal> number(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (members.get(key) instanceof BigDecimal n && Math.abs(n.scale()) <= MAX_SCALE) {
      return Optional.of(n);
    }
    throw fail(key, "expected a number of moderate size");
  }

  /// A text without half a surrogate pair, which no UTF-8 spells.
  private String whole(String key, String text) {
    if (!isWhole(text)) {
      throw fail(key, "half of a surrogate pair, expected whole characters");
    }
    return text;
  }

  private static boolean isWhole(String text) {
    return text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE);
  }

  /// That a value of a keyword can be written as it is.
  void requireWhole(String key, Object value) {
    switch (value) {
      case String s -> whole(key, s);
      case List<?> list -> list.forEach(v -> requireWhole(key, v));
      case Map<?, ?> map ->
          map.forEach((k, v) -> {
            requireWhole(key, k);
            requireWhole(key, v);
          });
      case null, default -> {}
    }
  }

  private String child(String key) {
    return pointer + "/" + escaped(key);
  }

  private static String escaped(String token) {
    return token.replace("~", "~0").replace("/", "~1");
  }

  /// @param key the keyword that it is about; empty for the schema as a whole
  RequestException fail(String key, String message) {
    return new RequestException(
        String.format(
            Locale.ROOT,
            "constraint: schema, %s: %s",
            Printable.quoted(key.isEmpty() ? pointer : child(key), 200),
            message));
  }
}
