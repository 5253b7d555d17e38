package dev.quern.cli.register;

import dev.quern.cli.console.UserException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;

/// An object of a JSON file that somebody else has written: each value is asked for by its key and
/// checked, and [#close] refuses keys that nobody has asked for.
final class Tree implements AutoCloseable {
  private static final int MOST_ELEMENTS = 100_000;

  private final Map<?, ?> values;
  private final String where;
  private final TreeSet<String> left = new TreeSet<>();
  private boolean failed;

  private Tree(Map<?, ?> values, String where) {
    this.values = values;
    this.where = where;
    values.keySet().forEach(k -> left.add(text("a key", k)));
  }

  static Tree of(Object value, String where) {
    if (value instanceof Map<?, ?> map) {
      return new Tree(map, where);
    }
    throw new UserException(where + ": expected an object");
  }

  /// Where it stands, for messages.
  String where() {
    return where;
  }

  Tree object(String key) {
    return of(value(key), where + ": " + key);
  }

  String text(String key) {
    return text(key, value(key));
  }

  long number(String key, long least, long most) {
    if ((value(key) instanceof Integer || value(key) instanceof Long)) {
      long n = ((Number) value(key)).longValue();
      if (n >= least && n <= most) {
        return n;
      }
    }
    throw wrong(key, String.format(Locale.ROOT, "a number from %d to %d", least, most));
  }

  Instant instant(String key) {
    return parsed(key, Instant::parse, "a time such as 2026-11-30T20:00:00Z");
  }

  LocalDate date(String key) {
    return parsed(key, LocalDate::parse, "a date such as 2027-05-31");
  }

  /// A SHA-256.
  String hash(String key) {
    String text = text(key);
    if (!text.matches("[0-9a-f]{64}")) {
      throw wrong(key, "64 hexadecimal digits");
    }
    return text;
  }

  List<Tree> list(String key) {
    List<Tree> all = new ArrayList<>();
    for (Object o : elements(key)) {
      all.add(of(o, String.format(Locale.ROOT, "%s: %s[%d]", where, key, all.size())));
    }
    return all;
  }

  List<String> texts(String key) {
    return elements(key).stream().map(o -> text(key, o)).toList();
  }

  /// An object of texts.
  Map<String, String> map(String key) {
    Map<String, String> all = new LinkedHashMap<>();
    try (Tree t = object(key)) {
      for (String name : t.names()) {
        all.put(name, t.text(name));
      }
    }
    return all;
  }

  /// The keys.
  List<String> names() {
    return values.keySet().stream().map(k -> (String) k).toList();
  }

  private List<?> elements(String key) {
    if (value(key) instanceof List<?> list && list.size() <= MOST_ELEMENTS) {
      return list;
    }
    throw wrong(key, "a list");
  }

  /// What would make two texts out of one, or one line into two, is in no report.
  private String text(String key, Object value) {
    if (value instanceof String s && s.chars().noneMatch(Character::isISOControl)) {
      return s;
    }
    throw wrong(key, "text without control characters");
  }

  private <T> T parsed(String key, Function<String, T> parser, String expected) {
    try {
      return parser.apply(text(key));
    } catch (DateTimeException _) {
      throw wrong(key, expected);
    }
  }

  private Object value(String key) {
    left.remove(key);
    return values.get(key);
  }

  private UserException wrong(String key, String expected) {
    failed = true;
    Object value = values.get(key);
    return new UserException(
        String.format(
            Locale.ROOT,
            "%s: %s %s, expected %s",
            where,
            key,
            value == null ? "is missing" : "can't be read",
            expected));
  }

  @Override
  public void close() {
    if (!failed && !left.isEmpty()) {
      throw new UserException(
          String.format(Locale.ROOT, "%s: unknown key '%s'", where, left.first()));
    }
  }
}
