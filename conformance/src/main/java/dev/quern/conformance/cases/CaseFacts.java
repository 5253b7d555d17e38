package dev.quern.conformance.cases;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a report on coverage says of a case: its sizes, and its features. Sizes are named as
/// SPEC.md and [CaseText] name them; every other component of the record is a feature, those that a
/// case gets later too.
public final class CaseFacts {
  private static final List<String> NO_FEATURE = List.of("seed", "halfDim");
  private static final List<String> COUNTS = List.of("1", "2 to 8", "9 or more");
  private static final List<String> STACKED = List.of("1", "several");

  private CaseFacts() {}

  /// The sizes of a call, by name.
  public static Map<String, Integer> sizes(Case c) {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    c.sizes().forEach(size -> sizes.put(size.name(), size.value()));
    sizes.put("rows", c.rows());
    sizes.put("workers", c.schedule().workers());
    return sizes;
  }

  /// What may be combined with each other: enum constants and words as they are, numbers by kinds
  /// (`0` and `more`, counts as `1`, `2 to 8`, `9 or more`).
  public static <C extends Record & Case> Map<String, String> features(C c) {
    Map<String, Integer> sizes = sizes(c);
    Map<String, String> features = new LinkedHashMap<>();
    for (RecordComponent component : c.getClass().getRecordComponents()) {
      String name = component.getName();
      Object value = CaseText.read(component, c);
      if (name.equals("rows")) {
        features.put(name, count(c.rows()));
      } else if (value instanceof Schedule s) {
        features.put("order", CaseText.text(s.order()));
        features.put("workers", count(s.workers()));
      } else if (value instanceof List<?> list) {
        features.put("stacked", list.size() == 1 ? "1" : "several");
      } else if (value instanceof Integer n) {
        if (!sizes.containsKey(name) && !NO_FEATURE.contains(name)) {
          features.put(name, n == 0 ? "0" : n > 0 ? "more" : "less");
        }
      } else if (!NO_FEATURE.contains(name)) {
        features.put(name, CaseText.text(value));
      }
    }
    return features;
  }

  /// The values that the features of a kind of case can have, where its record says so; a format's
  /// name, for example, may be any.
  public static Map<String, List<String>> values(Class<?> type) {
    Map<String, List<String>> values = new LinkedHashMap<>();
    for (RecordComponent c : type.getRecordComponents()) {
      Class<?> t = c.getType();
      if (c.getName().equals("rows")) {
        values.put("rows", COUNTS);
      } else if (t == Schedule.class) {
        values.put("order", constants(Schedule.Order.class));
        values.put("workers", COUNTS);
      } else if (t == List.class) {
        values.put("stacked", STACKED);
      } else if (t.isEnum()) {
        values.put(c.getName(), constants(t));
      } else if (t == boolean.class) {
        values.put(c.getName(), List.of("false", "true"));
      }
    }
    return values;
  }

  private static List<String> constants(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(CaseText::text).toList();
  }

  private static String count(int n) {
    return COUNTS.get(n <= 1 ? 0 : n <= 8 ? 1 : 2);
  }
}
