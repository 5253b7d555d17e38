package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the references of a schema refer to: parts of the schema itself, by JSON pointers (RFC
/// 6901).
final class SchemaReferences {
  private final Map<String, Object> root;

  SchemaReferences(Map<String, Object> root) {
    this.root = root;
  }

  /// The pointer that a schema's `$ref` has.
  ///
  /// @throws RequestException if it refers to something else, or to nothing
  String resolve(SchemaNode node) {
    String reference = node.string("$ref");
    if (!reference.equals("#") && !reference.startsWith("#/")) {
      throw node.fail("$ref", "can't be kept to, expected # or a JSON pointer, as #/$defs/name");
    }
    String pointer;
    try {
      pointer =
          URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw node.fail("$ref", "expected percent signs with two hexadecimal digits");
    }
    if (find(pointer) == MISSING) {
      throw node.fail("$ref", "expected what it refers to in the schema");
    }
    return pointer;
  }

  /// The schema at a pointer.
  SchemaNode at(String pointer) {
    return SchemaNode.of(pointer, find(pointer));
  }

  /// A schema, or what it refers to if it refers.
  SchemaNode target(SchemaNode schema) {
    Set<String> seen = new HashSet<>();
    SchemaNode at = schema;
    while (at.has("$ref")) {
      at.allow("beside $ref", "$ref");
      String pointer = resolve(at);
      if (!seen.add(pointer)) {
        throw at.fail("$ref", "refers to itself, expected a schema behind it");
      }
      at = at(pointer);
    }
    return at;
  }

  private static final Object MISSING = new Object();

  private Object find(String pointer) {
    Object at = root;
    if (pointer.isEmpty()) {
      return at;
    }
    for (String token : pointer.substring(1).split("/", -1)) {
      String key = token.replace("~1", "/").replace("~0", "~");
      at =
          switch (at) {
            case Map<?, ?> m when m.containsKey(key) -> m.get(key);
            case List<?> l
                when key.matches("0|[1-9][0-9]{0,8}") && Integer.parseInt(key) < l.size() ->
                l.get(Integer.parseInt(key));
            case null, default -> MISSING;
          };
    }
    return at;
  }
}
