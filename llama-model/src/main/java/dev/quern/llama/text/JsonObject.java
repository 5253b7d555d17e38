package dev.quern.llama.text;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/// A JSON object as a tree, with accessors that say what is wrong with a value. A member that is
/// null counts as absent, as it does for the libraries that write such files.
public final class JsonObject {
  private final String file;
  private final String path; // of this object within the file, "" or ending in a dot
  private final Map<String, Object> members;
  private final Function<String, ? extends RuntimeException> failure;

  /// @param file what messages call the file
  /// @param path of this object within the file: empty, or ending in a dot
  /// @param members values as [Json#value] has them
  /// @param failure makes the caller's exception of a message
  public JsonObject(
      String file,
      String path,
      Map<String, Object> members,
      Function<String, ? extends RuntimeException> failure) {
    this.file = file;
    this.path = path;
    this.members = members;
    this.failure = failure;
  }

  /// What messages call the file.
  public String file() {
    return file;
  }

  /// The keys, in the file's order.
  public Set<String> keys() {
    return Collections.unmodifiableSet(members.keySet());
  }

  public boolean has(String key) {
    return members.get(key) != null;
  }

  public boolean isObject(String key) {
    return members.get(key) instanceof Map;
  }

  public boolean isArray(String key) {
    return members.get(key) instanceof List;
  }

  public Optional<String> string(String key) {
    return typed(key, String.class, "a string");
  }

  public Optional<Boolean> bool(String key) {
    return typed(key, Boolean.class, "true or false");
  }

  /// An integer; a float without a fraction counts as one.
  public OptionalLong integer(String key) {
    Object value = members.get(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (value instanceof Double d && d == Math.rint(d) && Math.abs(d) < 0x1p53) {
      return OptionalLong.of(d.longValue());
    }
    return OptionalLong.of(typed(key, Long.class, "an integer").orElseThrow());
  }

  public OptionalDouble number(String key) {
    return members.get(key) instanceof Long n
        ? OptionalDouble.of(n)
        : typed(key, Double.class, "a number")
            .map(OptionalDouble::of)
            .orElse(OptionalDouble.empty());
  }

  public Optional<JsonObject> object(String key) {
    return typed(key, Map.class, "an object").map(map -> nested(key, map));
  }

  /// The elements of an array, which must be objects.
  public Optional<List<JsonObject>> objects(String key) {
    return array(key)
        .map(list ->
            list.stream()
                .map(element -> {
                  if (element instanceof Map<?, ?> map) {
                    return nested(key, map);
                  }
                  throw fail(key, "an array with " + shown(element), "an array of objects");
                })
                .toList());
  }

  /// An array's elements, as [Json#value] has them.
  public Optional<List<?>> array(String key) {
    return typed(key, List.class, "an array").map(list -> (List<?>) list);
  }

  /// The integers of an array, or the one integer that stands in its place.
  public List<Long> integers(String key) {
    if (!(members.get(key) instanceof List<?> list)) {
      OptionalLong one = integer(key);
      return one.isPresent() ? List.of(one.getAsLong()) : List.of();
    }
    return list.stream()
        .map(element -> {
          if (element instanceof Long n) {
            return n;
          }
          throw fail(key, "an array with " + shown(element), "an array of integers");
        })
        .toList();
  }

  /// The value as messages show it.
  public String shown(String key) {
    return shown(members.get(key));
  }

  /// An exception about a member.
  public RuntimeException fail(String key, String actual, String expected) {
    return failure.apply(
        String.format(
            Locale.ROOT,
            "%s: %s: %s, expected %s",
            file,
            Printable.cut(Printable.escaped(path + key), 200),
            actual,
            expected));
  }

  private <T> Optional<T> typed(String key, Class<T> type, String what) {
    Object value = members.get(key);
    if (value != null && !type.isInstance(value)) {
      throw fail(key, shown(value), what);
    }
    return Optional.ofNullable(type.cast(value));
  }

  private JsonObject nested(String key, Map<?, ?> map) {
    @SuppressWarnings("unchecked") // Json.value() makes no other maps
    Map<String, Object> nested = (Map<String, Object>) map;
    return new JsonObject(file, path + key + ".", nested, failure);
  }

  private static String shown(Object value) {
    return switch (value) {
      case null -> "absent";
      case String s -> Printable.quoted(s);
      case Map<?, ?> _ -> "an object";
      case List<?> _ -> "an array";
      default -> value.toString();
    };
  }
}
