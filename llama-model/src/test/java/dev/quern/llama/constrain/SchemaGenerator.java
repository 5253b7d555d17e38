package dev.quern.llama.constrain;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Random schemas of what constraints keep to.
final class SchemaGenerator {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final List<String> NAMES =
      List.of(
          "a", "ab", "name", "größe", "a\"b", "back\\slash", "tab\t", "😀", "", "a/b~c", "\u0001");
  private static final List<String> PATTERNS =
      List.of(
          "^[a-z]+$",
          "^\\d{3}-\\d{4}$",
          "ab",
          "^x",
          "y$",
          "^(a|b\"|\\\\)*$",
          "^[^a-z]{1,3}$",
          "\\s",
          "^\\S+$",
          "^.?$",
          "^a|b$");

  private final Random random;
  private int definitions;

  SchemaGenerator(long seed) {
    random = new Random(seed);
  }

  ObjectNode schema() {
    definitions = random.nextInt(4);
    ObjectNode root = value(3);
    if (definitions > 0) {
      ObjectNode all = JSON.objectNode();
      for (int i = 0; i < definitions; i++) {
        all.set("d" + i, definition(i));
      }
      root.set("$defs", all);
    }
    return root;
  }

  /// One that refers to others, and need not.
  private ObjectNode definition(int i) {
    ObjectNode reference = reference();
    ObjectNode list = JSON.objectNode().put("type", "array");
    list.set("items", reference);
    ObjectNode tree = JSON.objectNode().put("type", "object");
    tree.set(
        "properties", JSON.objectNode().<ObjectNode>set("value", value(1)).set("next", reference));
    tree.set("required", JSON.arrayNode().add("value"));
    ObjectNode either = JSON.objectNode();
    either.set(
        "anyOf", JSON.arrayNode().add(JSON.objectNode().put("type", "null")).add(list).add(tree));
    return List.of(list, tree, either, value(1)).get((i + random.nextInt(4)) % 4).deepCopy();
  }

  private ObjectNode reference() {
    return JSON.objectNode()
        .put(
            "$ref",
            random.nextInt(8) == 0 ? "#" : "#/$defs/d" + random.nextInt(Math.max(1, definitions)));
  }

  private ObjectNode value(int depth) {
    int kind = random.nextInt(depth > 0 ? 16 : 9);
    return switch (kind) {
      case 0 -> string();
      case 1 -> JSON.objectNode().put("type", "string").put("pattern", of(PATTERNS));
      case 2 ->
          JSON.objectNode()
              .put("type", "string")
              .put("format", of(List.of("date", "time", "date-time", "uuid", "ipv4")));
      case 3 -> integer();
      case 4 -> number();
      case 5 ->
          JSON.objectNode()
              .put("type", of(List.of("boolean", "null", "integer", "number", "string")));
      case 6 -> listed();
      case 7 ->
          JSON.objectNode()
              .set("type", JSON.arrayNode().add("null").add(of(List.of("string", "integer"))));
      case 8 -> depth == 3 ? string() : JSON.objectNode();
      case 9, 10 -> object(depth);
      case 11, 12 -> array(depth);
      case 13 ->
          JSON.objectNode()
              .set(
                  "anyOf",
                  JSON.arrayNode().add(value(depth - 1)).add(value(depth - 1)).add(value(0)));
      case 14 -> random.nextBoolean() ? all(depth) : one(depth);
      default -> definitions > 0 && depth < 3 ? reference() : object(depth);
    };
  }

  private ObjectNode string() {
    ObjectNode s = JSON.objectNode().put("type", "string");
    int min = random.nextInt(4);
    if (random.nextBoolean()) {
      s.put("minLength", min);
    }
    return random.nextBoolean() ? s.put("maxLength", min + random.nextInt(30)) : s;
  }

  private ObjectNode integer() {
    ObjectNode n = JSON.objectNode().put("type", "integer");
    long low =
        random.nextBoolean()
            ? random.nextInt(-1200, 1200)
            : random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
    long high = low + (random.nextBoolean() ? random.nextInt(1, 50) : random.nextInt(1, 1_000_000));
    switch (random.nextInt(6)) {
      case 0 -> n.put("minimum", low);
      case 1 -> n.put("maximum", high);
      case 2 -> n.put("exclusiveMinimum", low).put("exclusiveMaximum", high + 1);
      case 3 -> n.put("multipleOf", random.nextInt(1, 100));
      case 4 ->
          n.put("minimum", low).put("maximum", low + 500).put("multipleOf", random.nextInt(1, 100));
      default -> n.put("minimum", low).put("maximum", high);
    }
    return n;
  }

  private ObjectNode number() {
    ObjectNode n = JSON.objectNode().put("type", "number");
    BigDecimal low = BigDecimal.valueOf(random.nextInt(-100_000, 100_000), random.nextInt(0, 6));
    BigDecimal high = low.add(BigDecimal.valueOf(random.nextInt(1, 10_000), random.nextInt(0, 6)));
    switch (random.nextInt(5)) {
      case 0 -> n.put("minimum", low);
      case 1 -> n.put("maximum", high);
      case 2 -> n.put("exclusiveMinimum", low).put("exclusiveMaximum", high);
      case 3 ->
          n.put("minimum", low.setScale(0, java.math.RoundingMode.FLOOR))
              .put("multipleOf", new BigDecimal("0.01"));
      default -> n.put("minimum", low).put("maximum", high);
    }
    return n;
  }

  private ObjectNode listed() {
    ArrayNode values = JSON.arrayNode();
    values
        .add(1)
        .add("x\"\n")
        .add(-2.5)
        .addNull()
        .add(true)
        .add(JSON.arrayNode().add(1))
        .add(JSON.objectNode().put("k", "v"))
        .add("日本");
    return random.nextBoolean()
        ? JSON.objectNode().set("enum", values)
        : JSON.objectNode().set("const", values.get(random.nextInt(values.size())));
  }

  private ObjectNode object(int depth) {
    ObjectNode o = JSON.objectNode().put("type", "object");
    ObjectNode properties = JSON.objectNode();
    ArrayNode required = JSON.arrayNode();
    for (String name : some(NAMES)) {
      properties.set(name, value(depth - 1));
      if (random.nextBoolean()) {
        required.add(name);
      }
    }
    o.set("properties", properties);
    if (random.nextInt(3) > 0) {
      o.set("required", required);
    }
    switch (random.nextInt(4)) {
      case 0 -> o.put("additionalProperties", false);
      case 1 -> o.put("additionalProperties", true);
      case 2 -> o.set("additionalProperties", value(depth - 1));
      default -> {}
    }
    return o;
  }

  private ObjectNode array(int depth) {
    ObjectNode a = JSON.objectNode().put("type", "array");
    int first = random.nextInt(3);
    if (first > 0) {
      ArrayNode prefix = JSON.arrayNode();
      for (int i = 0; i < first; i++) {
        prefix.add(value(depth - 1));
      }
      a.set("prefixItems", prefix);
    }
    if (random.nextInt(4) > 0) {
      a.set("items", value(depth - 1));
    }
    int min = random.nextInt(4);
    if (random.nextBoolean()) {
      a.put("minItems", min);
    }
    return random.nextBoolean() ? a.put("maxItems", min + random.nextInt(4)) : a;
  }

  private ObjectNode all(int depth) {
    ArrayNode parts = JSON.arrayNode();
    for (String name : some(NAMES)) {
      ObjectNode part = JSON.objectNode().put("type", "object");
      part.set("properties", JSON.objectNode().set(name, value(depth - 1)));
      parts.add(part);
    }
    return parts.isEmpty() ? string() : JSON.objectNode().set("allOf", parts);
  }

  private ObjectNode one(int depth) {
    ArrayNode options =
        JSON.arrayNode().add(string()).add(integer()).add(JSON.objectNode().put("type", "null"));
    for (String kind : List.of("cat", "dog")) {
      ObjectNode o = JSON.objectNode().put("type", "object");
      o.set(
          "properties",
          JSON.objectNode()
              .<ObjectNode>set("kind", JSON.objectNode().put("const", kind))
              .set("of", value(depth - 1)));
      o.set("required", JSON.arrayNode().add("kind"));
      options.add(o);
    }
    return JSON.objectNode().set("oneOf", options);
  }

  private <T> List<T> some(List<T> of) {
    List<T> all = new ArrayList<>(of);
    Collections.shuffle(all, random);
    return all.subList(0, random.nextInt(4));
  }

  private <T> T of(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }
}
