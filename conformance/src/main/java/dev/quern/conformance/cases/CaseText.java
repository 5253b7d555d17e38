package dev.quern.conformance.cases;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The one-line form of a case: `format=Q4_0,numerics=exact-f32,rows=3,outputs=17+5,...`, one
/// `name=value` per record component, in the record's order: all of them, but for a [WhenAbsent]
/// one that is what a line without it means. Enum constants are written in lower case with `-`,
/// lists with `+`.
public final class CaseText {
  /// A kind of case, as reflection sees it: to ask it anew each time takes longer than all else
  /// that a suite does before its first call.
  ///
  /// @param absent by a component's name, what it is where a text lacks it; none if it may not
  /// @param constructor of all components
  private record Shape(
      List<RecordComponent> components, Map<String, Object> absent, Constructor<?> constructor) {
    static Shape of(Class<?> type) {
      List<RecordComponent> components = List.of(type.getRecordComponents());
      Map<String, Object> absent = new HashMap<>();
      for (RecordComponent c : components) {
        WhenAbsent value = c.getAnnotation(WhenAbsent.class);
        if (value != null) {
          absent.put(c.getName(), argument(type, c, value.value()));
        }
      }
      try {
        return new Shape(
            components,
            absent,
            type.getDeclaredConstructor(
                components.stream().map(RecordComponent::getType).toArray(Class<?>[]::new)));
      } catch (NoSuchMethodException e) {
        throw new IllegalStateException(e); // a record has it
      }
    }
  }

  private static final ClassValue<Shape> SHAPES =
      new ClassValue<>() {
        @Override
        protected Shape computeValue(Class<?> type) {
          return Shape.of(type);
        }
      };

  private CaseText() {}

  /// The text of a case.
  public static String write(Record value) {
    Shape shape = SHAPES.get(value.getClass());
    return shape.components().stream()
        .filter(c -> !read(c, value).equals(shape.absent().get(c.getName())))
        .map(c -> c.getName() + "=" + text(read(c, value)))
        .collect(Collectors.joining(","));
  }

  /// The case that [#write] wrote, now or before a component was there ([WhenAbsent]).
  ///
  /// @throws IllegalArgumentException if a component is missing, unknown, or not of its type
  public static <C> C parse(Class<C> type, String text) {
    Map<String, String> values = fields(type, text);
    return make(
        type,
        text,
        values,
        c -> {
          Object absent = SHAPES.get(type).absent().get(c.getName());
          if (absent == null) {
            throw error(type, c.getName() + " is missing");
          }
          return absent;
        });
  }

  /// The case with some components changed: `with(c, "rows=3,xPad=1")`.
  ///
  /// @throws IllegalArgumentException as [#parse]
  @SuppressWarnings("unchecked")
  public static <C extends Record> C with(C value, String changes) {
    Class<C> type = (Class<C>) value.getClass();
    return make(type, changes, fields(type, changes), c -> read(c, value));
  }

  /// The case with one component changed.
  @SuppressWarnings("unchecked")
  public static <C extends Record> C with(C value, String name, Object component) {
    Class<C> type = (Class<C>) value.getClass();
    return make(type, name, Map.of(), c -> c.getName().equals(name) ? component : read(c, value));
  }

  /// A component of a case.
  ///
  /// @throws IllegalArgumentException if it has none of that name
  public static Object value(Record value, String name) {
    return SHAPES.get(value.getClass()).components().stream()
        .filter(c -> c.getName().equals(name))
        .findFirst()
        .map(c -> read(c, value))
        .orElseThrow(() -> error(value.getClass(), "no component " + name));
  }

  private static Map<String, String> fields(Class<?> type, String text) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String field : text.split(",")) {
      String[] parts = field.split("=", 2);
      if (parts.length != 2 || values.put(parts[0].strip(), parts[1].strip()) != null) {
        throw error(type, "'" + field + "', expected each name=value once");
      }
    }
    return values;
  }

  /// A record of the values, and of what `others` says where there is none.
  private static <C> C make(
      Class<C> type,
      String text,
      Map<String, String> values,
      Function<RecordComponent, Object> others) {
    Shape shape = SHAPES.get(type);
    List<RecordComponent> components = shape.components();
    Object[] arguments = new Object[components.size()];
    for (int i = 0; i < arguments.length; i++) {
      RecordComponent c = components.get(i);
      String written = values.isEmpty() ? null : values.remove(c.getName());
      arguments[i] = written == null ? others.apply(c) : argument(type, c, written);
    }
    if (!values.isEmpty()) {
      throw error(
          type,
          String.format(
              Locale.ROOT,
              "unknown %s, expected %s",
              values.keySet(),
              components.stream().map(RecordComponent::getName).toList()));
    }
    try {
      return type.cast(shape.constructor().newInstance(arguments));
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("case " + text + ": " + e.getCause(), e);
    }
  }

  private static Object argument(Class<?> type, RecordComponent c, String text) {
    Class<?> t = c.getType();
    try {
      if (t == int.class) {
        return Integer.parseInt(text);
      } else if (t == long.class) {
        return Long.parseLong(text);
      } else if (t == float.class) {
        return Float.parseFloat(text);
      } else if (t == boolean.class) {
        if (!text.equals("true") && !text.equals("false")) {
          throw new IllegalArgumentException("expected true or false");
        }
        return Boolean.valueOf(text);
      } else if (t == String.class) {
        return text;
      } else if (t == Schedule.class) {
        return Schedule.parse(text);
      } else if (t == List.class) {
        return Stream.of(text.split("\\+")).map(Integer::valueOf).toList();
      } else if (t.isEnum()) {
        return Arrays.stream(t.getEnumConstants())
            .filter(e -> text(e).equals(text))
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "expected one of "
                        + Arrays.stream(t.getEnumConstants()).map(CaseText::text).toList()));
      }
    } catch (IllegalArgumentException e) {
      throw error(type, String.format(Locale.ROOT, "%s=%s, %s", c.getName(), text, e.getMessage()));
    }
    throw new IllegalStateException("no text form for components of type " + t);
  }

  static Object read(RecordComponent c, Record value) {
    try {
      return c.getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  static String text(Object value) {
    return switch (value) {
      case Enum<?> e -> e.name().toLowerCase(Locale.ROOT).replace('_', '-');
      case List<?> l -> l.stream().map(Object::toString).collect(Collectors.joining("+"));
      default -> value.toString();
    };
  }

  private static IllegalArgumentException error(Class<?> type, String what) {
    return new IllegalArgumentException(
        String.format(Locale.ROOT, "%s: %s", type.getSimpleName(), what));
  }
}
