package dev.quern.llama.constrain;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Which values a schema lets in, as far as that tells it from another.
final class SchemaKinds {
  private static final int MAX_DEPTH = 8;
  private static final int MAX_OPTIONS = 256;

  private final SchemaReferences references;

  SchemaKinds(SchemaReferences references) {
    this.references = references;
  }

  /// @throws dev.quern.llama.error.RequestException unless no value can fit two of the options
  void requireDisjoint(SchemaNode node, List<SchemaNode> options) {
    if (options.size() > MAX_OPTIONS) {
      throw node.fail("oneOf", "expected at most " + MAX_OPTIONS + " options");
    }
    for (int i = 0; i < options.size(); i++) {
      for (int k = 0; k < i; k++) {
        if (!areDisjoint(options.get(k), options.get(i), MAX_DEPTH)) {
          throw node.fail(
              "oneOf",
              "options "
                  + k
                  + " and "
                  + i
                  + " may have a value in common, expected other types, or const for a property that both require; or anyOf");
        }
      }
    }
  }

  private boolean areDisjoint(SchemaNode first, SchemaNode second, int depth) {
    if (depth == 0) {
      return false;
    }
    SchemaNode a = references.target(first);
    SchemaNode b = references.target(second);
    Set<String> common = new TreeSet<>(types(a));
    common.retainAll(types(b));
    if (common.isEmpty()) {
      return true;
    }
    if (hasLiterals(a) && hasLiterals(b)) {
      return literals(a).stream()
          .noneMatch(x -> literals(b).stream().anyMatch(y -> areEqual(x, y)));
    }
    return common.equals(Set.of("object")) && areObjectsDisjoint(a, b, depth);
  }

  private boolean areObjectsDisjoint(SchemaNode a, SchemaNode b, int depth) {
    if (hasLiterals(a) || hasLiterals(b)) {
      return false;
    }
    Set<String> required = new TreeSet<>(a.strings("required"));
    required.retainAll(b.strings("required"));
    return required.stream()
        .anyMatch(name -> {
          Optional<SchemaNode> x = property(a, name);
          Optional<SchemaNode> y = property(b, name);
          return x.isPresent() && y.isPresent() && areDisjoint(x.get(), y.get(), depth - 1);
        });
  }

  private static Optional<SchemaNode> property(SchemaNode node, String name) {
    return node.namedSchemas("properties").stream()
        .filter(p -> p.getKey().equals(name))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /// The types of the values that may fit. Integers are numbers.
  private static Set<String> types(SchemaNode node) {
    if (node.members() == SchemaNode.FALSE) {
      return Set.of();
    }
    if (hasLiterals(node)) {
      Set<String> types = new TreeSet<>();
      literals(node).forEach(value -> types.add(type(value)));
      return types;
    }
    Set<String> given = new TreeSet<>(node.strings("type"));
    if (given.remove("integer")) {
      given.add("number");
    }
    return given.isEmpty()
        ? Set.of("object", "array", "string", "number", "boolean", "null")
        : given;
  }

  private static boolean hasLiterals(SchemaNode node) {
    return node.has("enum") || node.has("const");
  }

  /// The values that are listed, as far as they have the type that is asked for beside the list.
  static List<Object> literals(SchemaNode node) {
    String key = node.has("enum") ? "enum" : "const";
    List<Object> all = new ArrayList<>();
    if (node.has("enum")) {
      all.addAll(node.list(key));
    } else {
      all.add(node.members().get(key));
    }
    node.requireWhole(key, all);
    Set<String> types = new LinkedHashSet<>(node.strings("type"));
    if (!types.isEmpty()) {
      all.removeIf(value ->
          !types.contains(type(value)) && !(types.contains("integer") && isInteger(value)));
    }
    return all;
  }

  private static boolean isInteger(Object value) {
    return value instanceof BigDecimal n && n.stripTrailingZeros().scale() <= 0;
  }

  private static String type(Object value) {
    return switch (value) {
      case null -> "null";
      case String _ -> "string";
      case BigDecimal _ -> "number";
      case Boolean _ -> "boolean";
      case List<?> _ -> "array";
      default -> "object";
    };
  }

  /// As JSON schema has it: numbers by their value.
  private static boolean areEqual(Object x, Object y) {
    return x instanceof BigDecimal a && y instanceof BigDecimal b
        ? a.compareTo(b) == 0
        : x instanceof List || x instanceof Map
            ? y != null && x.getClass() == y.getClass() // not looked into: they may be equal
            : Objects.equals(x, y);
  }
}
