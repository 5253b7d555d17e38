package dev.quern.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.text.Printable;
import dev.quern.text.Nearest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/// The fields of a JSON object of a request, each asked for by name; [#end()] refuses what nobody
/// has asked for, so that nothing of a request is ignored. A field that is null is absent, as
/// clients mean it. All failures name the field.
public final class JsonFields {
  private final String path; // with a point behind it, or empty
  private final ObjectNode node;
  private final Set<String> known = new LinkedHashSet<>();

  JsonFields(String path, ObjectNode node) {
    this.path = path;
    this.node = node;
  }

  /// The object at a place, such as an element of an array.
  ///
  /// @param path its own, such as `messages[0]`
  public static JsonFields of(String path, JsonNode value) {
    if (value instanceof ObjectNode object) {
      return new JsonFields(path + ".", object);
    }
    throw HttpFailure.invalid(path, expected(path, value, "an object"));
  }

  /// A field's whole path.
  public String path(String name) {
    return path + name;
  }

  /// Whether the field is there and not null.
  public boolean has(String name) {
    known.add(name);
    return node.hasNonNull(name);
  }

  public Optional<JsonNode> any(String name) {
    return has(name) ? Optional.of(node.get(name)) : Optional.empty();
  }

  public Optional<String> string(String name) {
    return any(name)
        .map(value -> {
          if (!value.isTextual()) {
            throw wrong(name, "a string");
          }
          return value.textValue();
        });
  }

  /// One of some words.
  public Optional<String> word(String name, List<String> words) {
    Optional<String> value = string(name);
    if (value.isPresent() && !words.contains(value.get())) {
      throw wrong(name, String.join(" or ", words));
    }
    return value;
  }

  public boolean flag(String name, boolean absent) {
    return any(name)
        .map(value -> {
          if (!value.isBoolean()) {
            throw wrong(name, "true or false");
          }
          return value.booleanValue();
        })
        .orElse(absent);
  }

  public OptionalInt integer(String name, int least, int most) {
    Optional<JsonNode> value = any(name);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (!value.get().isIntegralNumber()
        || !value.get().canConvertToInt()
        || value.get().intValue() < least
        || value.get().intValue() > most) {
      throw wrong(
          name,
          most == Integer.MAX_VALUE
              ? String.format(Locale.ROOT, "an integer >= %d", least)
              : String.format(Locale.ROOT, "an integer from %d to %d", least, most));
    }
    return OptionalInt.of(value.get().intValue());
  }

  public OptionalLong longInteger(String name) {
    Optional<JsonNode> value = any(name);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!value.get().isIntegralNumber() || !value.get().canConvertToLong()) {
      throw wrong(name, "an integer of 64 bits");
    }
    return OptionalLong.of(value.get().longValue());
  }

  public OptionalDouble number(String name, double least, double most) {
    Optional<JsonNode> value = any(name);
    if (value.isEmpty()) {
      return OptionalDouble.empty();
    }
    double number = value.get().isNumber() ? value.get().doubleValue() : Double.NaN;
    if (!(number >= least && number <= most)) {
      throw wrong(name, String.format(Locale.ROOT, "a number from %s to %s", least, most));
    }
    return OptionalDouble.of(number);
  }

  public Optional<JsonFields> object(String name) {
    return any(name).map(value -> of(path(name), value));
  }

  /// The values of an array; empty where it is absent.
  public List<JsonNode> array(String name) {
    Optional<JsonNode> value = any(name);
    if (value.isEmpty()) {
      return List.of();
    }
    if (!value.get().isArray()) {
      throw wrong(name, "an array");
    }
    List<JsonNode> values = new ArrayList<>();
    value.get().forEach(values::add);
    return values;
  }

  /// The token ids of an array.
  ///
  /// @param vocabulary how many there are
  public int[] tokens(String name, int vocabulary) {
    return tokens(path(name), array(name), vocabulary);
  }

  /// The token ids of an array that is an array's element.
  public int[] tokens(String name, int index, int vocabulary) {
    List<JsonNode> values = new ArrayList<>();
    array(name).get(index).forEach(values::add);
    return tokens(String.format(Locale.ROOT, "%s[%d]", path(name), index), values, vocabulary);
  }

  private static int[] tokens(String path, List<JsonNode> values, int vocabulary) {
    return values.stream()
        .mapToInt(value -> {
          if (!value.isIntegralNumber()
              || !value.canConvertToInt()
              || value.intValue() < 0
              || value.intValue() >= vocabulary) {
            throw HttpFailure.invalid(
                path,
                expected(
                    path,
                    value,
                    String.format(Locale.ROOT, "an array of token ids, 0 to %d", vocabulary - 1)));
          }
          return value.intValue();
        })
        .toArray();
  }

  /// The objects of an array, each with its place.
  public List<JsonFields> objects(String name) {
    List<JsonNode> values = array(name);
    List<JsonFields> objects = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      objects.add(of(String.format(Locale.ROOT, "%s[%d]", path(name), i), values.get(i)));
    }
    return objects;
  }

  /// The names of the object and their values, whatever they are: nothing is unknown then.
  public Map<String, Object> all() {
    node.fieldNames().forEachRemaining(known::add);
    @SuppressWarnings("unchecked") // of an object
    Map<String, Object> all = (Map<String, Object>) Json.plain(node);
    return all;
  }

  /// The object as a JSON text.
  public String text() {
    return Json.text(node);
  }

  /// A field that is taken, since it means nothing for the answer.
  public void meansNothing(String... names) {
    known.addAll(List.of(names));
  }

  /// A field of which this server does one value alone.
  ///
  /// @param only what the field may be, as JSON
  /// @param why what the server does not do
  public void only(String name, String only, String why) {
    if (has(name) && !node.get(name).toString().equals(only)) {
      throw HttpFailure.unsupported(
          path(name),
          String.format(
              Locale.ROOT, "%s: %s, expected %s or no such field", path(name), why, only));
    }
  }

  /// @throws HttpFailure where a field's value is not what was expected
  public HttpFailure wrong(String name, String expected) {
    return HttpFailure.invalid(path(name), expected(path(name), node.get(name), expected));
  }

  /// A field that must be there is not.
  public HttpFailure missing(String name, String expected) {
    return new HttpFailure(
        400,
        "missing_required_parameter",
        Optional.of(path(name)),
        String.format(Locale.ROOT, "%s: missing, expected %s", path(name), expected));
  }

  /// @throws HttpFailure where a field is left that nobody has asked for
  public void end() {
    node.fieldNames()
        .forEachRemaining(name -> {
          if (!known.contains(name)) {
            String shown = Printable.quoted(shortened(name));
            throw new HttpFailure(
                400,
                "unknown_parameter",
                Optional.of(path(shortened(name))),
                String.format(
                    Locale.ROOT,
                    "%s%s: unknown field%s; docs/serve.md has those that are taken",
                    path,
                    shown,
                    Nearest.hint(name, known)));
          }
        });
  }

  private static String expected(String path, JsonNode value, String expected) {
    String shown = value == null ? "nothing" : shortened(value.toString());
    return String.format(
        Locale.ROOT, "%s: %s, expected %s", path, Printable.message(shown), expected);
  }

  private static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, text.offsetByCodePoints(0, 70)) + "...";
  }
}
