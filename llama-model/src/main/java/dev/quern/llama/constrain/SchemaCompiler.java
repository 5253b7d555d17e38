package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Json;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// Makes the expression of a JSON schema's texts (draft 2020-12). Texts are left out where that
/// keeps the automaton small; none is let in that does not fit. What can't be kept to is refused.
final class SchemaCompiler {
  private static final int MAX_CHARACTERS = 1 << 20;

  private static final Set<String> OBJECT =
      Set.of("properties", "required", "additionalProperties");
  private static final Set<String> ARRAY =
      Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems");
  private static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern", "format");
  private static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

  /// The keywords of each type that can be kept to.
  private static final Map<String, Set<String>> TYPES =
      Map.of(
          "object", OBJECT,
          "array", ARRAY,
          "string", STRING,
          "number", NUMBER,
          "integer", NUMBER,
          "boolean", Set.of(),
          "null", Set.of());

  private final JsonTexts json = new JsonTexts();
  private final SchemaReferences references;
  private final Map<String, Expression.Rule> rules = new HashMap<>(); // by what they refer to
  private final Deque<Runnable> open = new ArrayDeque<>(); // rules that have no text yet

  private SchemaCompiler(SchemaReferences references) {
    this.references = references;
  }

  /// @throws RequestException if the schema is none, or can't be kept to
  static Expression compile(String schema) {
    if (schema.length() > MAX_CHARACTERS) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "constraint: schema of %d characters, expected at most %d",
              schema.length(),
              MAX_CHARACTERS));
    }
    Map<String, Object> root = Json.exact("constraint: schema", schema, RequestException::new);
    SchemaCompiler c = new SchemaCompiler(new SchemaReferences(root));
    Expression.Rule whole = c.rule("");
    while (!c.open.isEmpty()) {
      c.open.remove().run();
    }
    return new Expression.Call(whole);
  }

  private Expression.Rule rule(String pointer) {
    Expression.Rule known = rules.get(pointer);
    if (known != null) {
      return known;
    }
    Expression.Rule rule = new Expression.Rule(true);
    rules.put(pointer, rule);
    open.add(() -> rule.is(value(references.at(pointer))));
    return rule;
  }

  /// The texts of a schema's values.
  private Expression value(SchemaNode node) {
    if (node.members() == SchemaNode.FALSE) {
      return Expression.NEVER;
    }
    if (node.has("$ref")) {
      node.allow("beside $ref", "$ref");
      return new Expression.Call(rule(references.resolve(node)));
    }
    if (node.has("enum") || node.has("const")) {
      return literals(node);
    }
    if (node.has("anyOf")) {
      node.allow("beside anyOf", "anyOf");
      return options(node.schemas("anyOf"));
    }
    if (node.has("oneOf")) {
      node.allow("beside oneOf", "oneOf");
      List<SchemaNode> schemas = node.schemas("oneOf");
      new SchemaKinds(references).requireDisjoint(node, schemas);
      return options(schemas);
    }
    if (node.has("allOf")) {
      return all(node);
    }
    return typed(node);
  }

  private Expression options(List<SchemaNode> schemas) {
    return new Expression.Choice(schemas.stream().map(this::value).toList());
  }

  private Expression literals(SchemaNode node) {
    node.allow("beside enum or const", node.has("enum") ? "enum" : "const", "type");
    List<Expression> options = new ArrayList<>();
    for (Object value : SchemaKinds.literals(node)) {
      options.add(Expression.text(JsonTexts.text(value)));
    }
    return new Expression.Choice(options);
  }

  /// Objects that fit several schemas: one with the properties of all.
  private Expression all(SchemaNode node) {
    List<SchemaNode> schemas = node.schemas("allOf");
    if (schemas.size() == 1 && node.keywords().size() == 1) {
      return value(schemas.getFirst());
    }
    node.allow("beside allOf", "allOf", "type", "properties", "required");
    SchemaObject merged = new SchemaObject();
    for (SchemaNode schema : schemas) {
      SchemaNode part = references.target(schema);
      if (part.has("properties") || part.has("required") || part.has("type")) {
        part.allow("within allOf", "type", "properties", "required");
        requireObject(part);
        merged.add(part);
      } else {
        throw part.fail("", "can't be kept to within allOf, expected an object's schema");
      }
    }
    requireObject(node);
    merged.add(node);
    return object(merged);
  }

  private static void requireObject(SchemaNode node) {
    if (node.has("type") && !node.strings("type").equals(List.of("object"))) {
      throw node.fail("type", "can't be kept to within allOf, expected \"object\"");
    }
  }

  private Expression typed(SchemaNode node) {
    List<String> types = types(node);
    Set<String> allowed = new TreeSet<>(List.of("type"));
    types.forEach(type -> allowed.addAll(TYPES.get(type)));
    node.allow("with type " + String.join(", ", types), allowed.toArray(String[]::new));
    List<Expression> options = new ArrayList<>();
    for (String type : types) {
      switch (type) {
        case "object" -> options.add(object(node));
        case "array" -> options.add(array(node));
        case "string" -> options.add(new SchemaScalars(node).string(json));
        case "integer" -> {
          if (!types.contains("number")) {
            options.add(new SchemaScalars(node).integer());
          }
        }
        case "number" -> options.add(new SchemaScalars(node).number());
        case "boolean" -> options.add(JsonTexts.BOOLEAN);
        default -> options.add(JsonTexts.NULL);
      }
    }
    return new Expression.Choice(options);
  }

  /// Those that are given; else the one that all keywords are of; else all.
  private static List<String> types(SchemaNode node) {
    List<String> given = node.strings("type");
    for (String type : given) {
      if (!TYPES.containsKey(type)) {
        throw node.fail("type", "expected one of " + new TreeSet<>(TYPES.keySet()));
      }
    }
    if (node.has("type")) {
      return given;
    }
    Set<String> keywords = node.keywords();
    if (keywords.isEmpty()) {
      return List.of("object", "array", "string", "number", "boolean", "null");
    }
    String first = keywords.iterator().next();
    for (String type : List.of("object", "array", "string", "number")) {
      if (TYPES.get(type).contains(first)) {
        return List.of(type);
      }
    }
    throw node.fail(first, "can't be kept to, expected a keyword that docs/use.md names");
  }

  private Expression object(SchemaNode node) {
    if (!node.has("properties") && !node.has("required") && !node.has("additionalProperties")) {
      return json.anyObject();
    }
    SchemaObject object = new SchemaObject();
    object.add(node);
    return object(object);
  }

  private Expression object(SchemaObject object) {
    List<Expression.Member> members = new ArrayList<>();
    object
        .properties()
        .forEach((name, schema) ->
            members.add(
                new Expression.Member(
                    JsonTexts.member(name, value(schema)), object.required().contains(name))));
    SchemaNode others = object.others();
    Expression other = others == null ? json.anyValue() : shared(others);
    for (String name : object.required()) {
      if (!object.properties().containsKey(name)) {
        members.add(new Expression.Member(JsonTexts.member(name, other), true));
      }
    }
    if (others == null) {
      return JsonTexts.object(members, Expression.NEVER);
    }
    Set<String> names = new TreeSet<>(object.properties().keySet());
    names.addAll(object.required());
    return JsonTexts.object(members, JsonTexts.member(json.otherKey(names), other));
  }

  private Expression array(SchemaNode node) {
    if (Boolean.TRUE.equals(node.members().get("uniqueItems"))) {
      throw node.fail("uniqueItems", "can't be kept to, expected false or none");
    }
    int min = node.count("minItems").orElse(0);
    int max = node.count("maxItems").orElse(Expression.UNBOUNDED);
    List<Expression> first =
        node.has("prefixItems")
            ? node.schemas("prefixItems").stream().map(this::value).toList()
            : List.of();
    if (first.size() > SchemaNode.MAX_ITEMS) {
      throw node.fail("prefixItems", "expected at most " + SchemaNode.MAX_ITEMS);
    }
    Expression rest = node.has("items") ? shared(node.schema("items")) : json.anyValue();
    if (node.has("prefixItems") && !node.has("items") && min <= first.size()) {
      max = max == Expression.UNBOUNDED ? first.size() : Math.min(max, first.size());
    }
    if (max != Expression.UNBOUNDED && max < min) {
      throw node.fail("minItems", "expected no more than maxItems");
    }
    return JsonTexts.array(first, rest, min, max);
  }

  /// A schema's expression for several places.
  private Expression shared(SchemaNode node) {
    Expression.Rule rule = new Expression.Rule(false);
    rule.is(value(node));
    return new Expression.Call(rule);
  }

  /// The properties of objects, of one schema or of several together.
  private static final class SchemaObject {
    private final Map<String, SchemaNode> properties = new LinkedHashMap<>();
    private final Set<String> required = new LinkedHashSet<>();
    private SchemaNode others; // null where none are written

    void add(SchemaNode node) {
      for (Map.Entry<String, SchemaNode> p : node.namedSchemas("properties")) {
        SchemaNode before = properties.putIfAbsent(p.getKey(), p.getValue());
        if (before != null && !Objects.equals(before.members(), p.getValue().members())) {
          throw p.getValue().fail("", "can't be kept to beside another schema of this property");
        }
      }
      required.addAll(node.has("required") ? node.strings("required") : List.of());
      if (node.has("additionalProperties")) {
        others = node.schema("additionalProperties");
      }
    }

    Map<String, SchemaNode> properties() {
      return properties;
    }

    Set<String> required() {
      return required;
    }

    SchemaNode others() {
      return others;
    }
  }
}
