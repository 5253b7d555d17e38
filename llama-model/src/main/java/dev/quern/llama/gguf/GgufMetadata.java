package dev.quern.llama.gguf;

import dev.quern.llama.text.Printable;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/// The metadata of a GGUF file: typed values under keys such as `general.architecture`.
///
/// A key that is absent gives an empty result; a value of another type than the one asked for is a
/// [GgufException] that names the key and both types. Scalars were checked when the file was
/// opened, but for the UTF-8 of strings. Of arrays the structure was checked; their elements are
/// decoded anew by each call, so that opening a file stays fast. Keep the result.
///
/// Safe for use by several threads. Not usable after [GgufFile#close()].
///
/// @since 0.1
/// @stability api
public final class GgufMetadata {
  private static final int SHOWN_ELEMENTS = 6;
  private static final int SHOWN_CHARACTERS = 120;
  private static final int SHOWN_ELEMENT_CHARACTERS = 24;

  /// What messages call a key.
  static final String PLACE = "metadata key";

  /// Where a value lies.
  ///
  /// @param type its type
  /// @param elementType the type of the elements of an array, else `type`
  /// @param count elements of an array, else 1
  /// @param offset byte offset of the scalar, or of an array's first element
  /// @param end byte offset behind it
  record Value(GgufType type, GgufType elementType, long count, long offset, long end) {
    /// Byte offset of the scalar, or of the element type and count that precede an array's
    /// elements.
    long start() {
      return type == GgufType.ARRAY ? offset - GgufType.ARRAY.minBytes() : offset;
    }

    @Override
    public String toString() {
      return type == GgufType.ARRAY
          ? String.format(Locale.ROOT, "%s[%d]", elementType, count)
          : type.toString();
    }
  }

  private final String file;
  private final MemorySegment bytes;
  private final Map<String, Value> values;

  /// @param file what messages call the file
  /// @param bytes the file's bytes, up to the end of the metadata at least
  /// @param values where each key's value lies, in the file's order
  GgufMetadata(String file, MemorySegment bytes, LinkedHashMap<String, Value> values) {
    this.file = file;
    this.bytes = bytes;
    this.values = Collections.unmodifiableMap(values);
  }

  /// Whether there is a value under `key`.
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /// All keys, in the file's order.
  public Set<String> keys() {
    return values.keySet();
  }

  /// Whether the value under `key` is an array; false where the key is absent.
  public boolean isArray(String key) {
    return has(key) && values.get(key).type() == GgufType.ARRAY;
  }

  /// The string under `key`.
  public Optional<String> string(String key) {
    return find(key, "a string", v -> v.type() == GgufType.STRING)
        .map(v -> cursor(key, v).string("string"));
  }

  /// The string under `key` for people: what is no UTF-8 in it becomes U+FFFD. (Descriptions and
  /// names are written by hand, and nothing depends on them.)
  public Optional<String> stringForPeople(String key) {
    return find(key, "a string", v -> v.type() == GgufType.STRING)
        .map(v -> cursor(key, v).stringForPeople("string"));
  }

  /// The integer under `key`, whatever its width and signedness.
  ///
  /// @throws GgufException also for a uint64 that a long cannot hold
  public OptionalLong integer(String key) {
    Optional<Value> value = find(key, "an integer", v -> v.type().isInteger());
    return value.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(cursor(key, value.get()).integer(value.get().type()));
  }

  /// The number under `key`, be it a float or an integer (the latter rounded to a double).
  public OptionalDouble number(String key) {
    Optional<Value> value = find(key, "a number", v -> v.type().isFloat() || v.type().isInteger());
    return value.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(cursor(key, value.get()).number(value.get().type()));
  }

  /// The boolean under `key`.
  public Optional<Boolean> bool(String key) {
    return find(key, "a bool", v -> v.type() == GgufType.BOOL)
        .map(v -> cursor(key, v).u8("bool") == 1);
  }

  /// The strings of the array under `key`; empty where the key is absent.
  public List<String> strings(String key) {
    Optional<Value> value =
        find(key, "an array of strings", v -> isArrayOf(v, v.elementType() == GgufType.STRING));
    String[] strings = new String[value.map(v -> length(key, v)).orElse(0)];
    if (strings.length > 0) {
      GgufCursor cursor = cursor(key, value.get());
      for (int i = 0; i < strings.length; i++) {
        strings[i] = cursor.string("string");
      }
    }
    return Collections.unmodifiableList(Arrays.asList(strings));
  }

  /// The integers of the array under `key`, whatever their width and signedness; empty where the
  /// key is absent.
  ///
  /// @throws GgufException also for an element that an int cannot hold
  public int[] ints(String key) {
    Optional<Value> value =
        find(key, "an array of integers", v -> isArrayOf(v, v.elementType().isInteger()));
    int[] ints = new int[value.map(v -> length(key, v)).orElse(0)];
    if (ints.length > 0) {
      GgufType type = value.get().elementType();
      GgufCursor cursor = cursor(key, value.get());
      for (int i = 0; i < ints.length; i++) {
        long element = cursor.integer(type);
        if (element != (int) element) {
          throw cursor.fail(
              cursor.offset() - type.minBytes(), type + " " + element, "a 32-bit signed integer");
        }
        ints[i] = (int) element;
      }
    }
    return ints;
  }

  /// The floats of the array under `key` (float64 elements are rounded); empty where the key is
  /// absent.
  public float[] floats(String key) {
    Optional<Value> value =
        find(key, "an array of floats", v -> isArrayOf(v, v.elementType().isFloat()));
    float[] floats = new float[value.map(v -> length(key, v)).orElse(0)];
    if (floats.length > 0) {
      GgufType type = value.get().elementType();
      GgufCursor cursor = cursor(key, value.get());
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) cursor.number(type);
      }
    }
    return floats;
  }

  /// The value under `key` on one line, for people: its type and the value; of an array the element
  /// type, the count and the first few. Text is escaped and cut, so the line is safe to print.
  ///
  /// @throws GgufException where the key is absent
  public String describe(String key) {
    Value value =
        find(key, "", v -> true)
            .orElseThrow(() ->
                new GgufException(
                    String.format(
                        Locale.ROOT,
                        "%s: metadata key %s: absent, expected one of the file's %d keys",
                        file,
                        Printable.quoted(key),
                        values.size())));
    GgufCursor cursor = cursor(key, value);
    if (value.type() != GgufType.ARRAY) {
      return value + " " + cursor.show(value.type(), SHOWN_CHARACTERS);
    }
    if (value.elementType() == GgufType.ARRAY) {
      return value.toString();
    }
    StringBuilder out = new StringBuilder(value.toString()).append(" [");
    long shown = Math.min(value.count(), SHOWN_ELEMENTS);
    for (long i = 0; i < shown; i++) {
      out.append(i == 0 ? "" : ", ")
          .append(cursor.show(value.elementType(), SHOWN_ELEMENT_CHARACTERS));
    }
    return out.append(shown < value.count() ? ", ...]" : "]").toString();
  }

  /// The value under `key`, which must be there, as the file holds it: what a writer needs to copy
  /// it.
  Raw raw(String key) {
    Value value = values.get(key);
    if (value == null) {
      throw absent(key);
    }
    return new Raw(value.type(), bytes.asSlice(value.start(), value.end() - value.start()));
  }

  /// A value as the file holds it.
  record Raw(GgufType type, MemorySegment bytes) {}

  private GgufException absent(String key) {
    return new GgufException(
        String.format(
            Locale.ROOT,
            "%s: metadata key %s: absent, expected one of the file's %d keys",
            file,
            Printable.quoted(key),
            values.size()));
  }

  /// An exception about the value under a key that is there.
  GgufException fail(String key, String actual, String expected) {
    Value value = values.get(key);
    return cursor(key, value).fail(value.start(), actual, expected);
  }

  private Optional<Value> find(String key, String expected, Predicate<Value> matches) {
    Value value = values.get(key);
    if (value != null && !matches.test(value)) {
      throw fail(key, value.toString(), expected);
    }
    return Optional.ofNullable(value);
  }

  private GgufCursor cursor(String key, Value value) {
    if (!bytes.scope().isAlive()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "%s: metadata key %s: the file is closed, expected it open: read metadata before GgufFile.close()",
              file,
              Printable.quoted(key)));
    }
    return new GgufCursor(file, bytes, value.offset()).enter(PLACE, key);
  }

  private int length(String key, Value value) {
    if (value.count() > Integer.MAX_VALUE - 8) {
      throw fail(key, value.toString(), "at most 2^31 - 9 elements");
    }
    return (int) value.count();
  }

  private static boolean isArrayOf(Value value, boolean elementTypeMatches) {
    return value.type() == GgufType.ARRAY && elementTypeMatches;
  }
}
