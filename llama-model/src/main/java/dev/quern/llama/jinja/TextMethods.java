package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.Sequence;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;

/// Python's methods of `str`.
final class TextMethods {
  private interface Method {
    Value call(Text text, Arguments arguments, Budget budget);
  }

  private static final Map<String, Method> METHODS = new LinkedHashMap<>();

  static {
    METHODS.put("strip", (text, a, _) -> strip(text, chars("strip", a), true, true));
    METHODS.put("lstrip", (text, a, _) -> strip(text, chars("lstrip", a), true, false));
    METHODS.put("rstrip", (text, a, _) -> strip(text, chars("rstrip", a), false, true));
    METHODS.put("split", (text, a, budget) -> TextParts.split(text, a, budget, false));
    METHODS.put("rsplit", (text, a, budget) -> TextParts.split(text, a, budget, true));
    METHODS.put("splitlines", TextParts::splitLines);
    METHODS.put(
        "partition", (text, a, _) -> TextParts.partition(text, part("partition", a), false));
    METHODS.put(
        "rpartition", (text, a, _) -> TextParts.partition(text, part("rpartition", a), true));
    METHODS.put("join", TextMethods::join);
    METHODS.put("replace", TextMethods::replace);
    METHODS.put("startswith", (text, a, _) -> affix(text, a.one("startswith"), true));
    METHODS.put("endswith", (text, a, _) -> affix(text, a.one("endswith"), false));
    METHODS.put("removeprefix", (text, a, _) -> removePrefix(text, part("removeprefix", a)));
    METHODS.put("removesuffix", (text, a, _) -> removeSuffix(text, part("removesuffix", a)));
    METHODS.put("find", (text, a, _) -> place(text, text.chars().indexOf(part("find", a))));
    METHODS.put("rfind", (text, a, _) -> place(text, text.chars().lastIndexOf(part("rfind", a))));
    METHODS.put(
        "index", (text, a, _) -> there(place(text, text.chars().indexOf(part("index", a)))));
    METHODS.put(
        "rindex", (text, a, _) -> there(place(text, text.chars().lastIndexOf(part("rindex", a)))));
    METHODS.put("count", TextMethods::count);
    METHODS.put("upper", simple((text, budget) -> upper(text, budget)));
    METHODS.put("lower", simple((text, budget) -> lower(text, budget)));
    METHODS.put("title", simple(TextMethods::title));
    METHODS.put("capitalize", simple(TextMethods::capitalize));
    METHODS.put("isspace", (text, a, _) -> all("isspace", text, a, PythonText::isSpace));
    METHODS.put("isalpha", (text, a, _) -> all("isalpha", text, a, Character::isLetter));
    METHODS.put("isdigit", (text, a, _) -> all("isdigit", text, a, Character::isDigit));
    METHODS.put("isdecimal", (text, a, _) -> all("isdecimal", text, a, Character::isDigit));
    METHODS.put("isalnum", (text, a, _) -> all("isalnum", text, a, Character::isLetterOrDigit));
    METHODS.put(
        "isupper",
        (text, a, _) -> {
          a.none("isupper");
          return Operators.bool(isUpper(text));
        });
    METHODS.put(
        "islower",
        (text, a, _) -> {
          a.none("islower");
          return Operators.bool(isLower(text));
        });
  }

  private interface Spelling {
    Text of(Text text, Budget budget);
  }

  private TextMethods() {}

  static boolean has(String name) {
    return METHODS.containsKey(name);
  }

  static String names() {
    return String.join(", ", METHODS.keySet());
  }

  static Value call(String name, Text text, Arguments arguments, Budget budget) {
    budget.look(text);
    for (Value argument : arguments.positional()) {
      if (argument instanceof Text part) {
        budget.search(text, part);
      }
    }
    return METHODS.get(name).call(text, arguments, budget);
  }

  private static Method simple(Spelling spelling) {
    return (text, arguments, budget) -> {
      arguments.none("a string's method");
      return spelling.of(text, budget);
    };
  }

  private static String part(String method, Arguments arguments) {
    return Operators.text(arguments.one(method), method).chars();
  }

  /// What characters are stripped: white space where there is no argument, or none.
  private static Optional<String> chars(String method, Arguments arguments) {
    return Optional.ofNullable(arguments.bind(method, "chars").get("chars"))
        .filter(chars -> chars != Value.None.NONE)
        .map(chars -> Operators.text(chars, method).chars());
  }

  static Text strip(Text text, Optional<String> chars, boolean left, boolean right) {
    IntPredicate stripped =
        chars.<IntPredicate>map(set -> c -> set.indexOf(c) >= 0).orElse(PythonText::isSpace);
    int from = 0;
    int to = text.length();
    while (left && from < to && stripped.test(text.chars().codePointAt(from))) {
      from = text.chars().offsetByCodePoints(from, 1);
    }
    while (right && to > from && stripped.test(text.chars().codePointBefore(to))) {
      to = text.chars().offsetByCodePoints(to, -1);
    }
    return text.slice(from, to);
  }

  private static Value join(Text text, Arguments arguments, Budget budget) {
    TextBuilder out = new TextBuilder(budget);
    Text separator = Text.EMPTY;
    for (Value element : Operators.elements(arguments.one("join"), budget)) {
      out.append(separator).append(Operators.text(element, "join"));
      separator = text;
    }
    return out.text();
  }

  private static Value replace(Text text, Arguments arguments, Budget budget) {
    Map<String, Value> bound = arguments.bind("replace", "old", "new", "count");
    Text old = Operators.text(Arguments.need(bound, "old", "replace"), "replace");
    Text by = Operators.text(Arguments.need(bound, "new", "replace"), "replace");
    long count = Operators.integer(bound.getOrDefault("count", new Int(-1)));
    return replace(text, old.chars(), by, count < 0 ? Long.MAX_VALUE : count, budget);
  }

  static Text replace(Text text, String old, Text by, long count, Budget budget) {
    TextBuilder out = new TextBuilder(budget);
    int from = 0;
    int at = text.chars().indexOf(old);
    for (long i = 0; i < count && at >= 0; i++) {
      out.append(text, from, at).append(by);
      from = at + old.length();
      int next = from;
      if (old.isEmpty()) { // before each character and behind the last
        if (from == text.length()) {
          break;
        }
        next = text.chars().offsetByCodePoints(from, 1);
      }
      at = text.chars().indexOf(old, next);
    }
    return out.append(text, from, text.length()).text();
  }

  private static Value affix(Text text, Value affix, boolean atStart) {
    List<Value> affixes =
        affix instanceof Sequence sequence && sequence.kind() == Value.Kind.TUPLE
            ? sequence.elements()
            : List.of(affix);
    return Operators.bool(
        affixes.stream()
            .map(one -> Operators.text(one, "startswith or endswith").chars())
            .anyMatch(one -> atStart ? text.chars().startsWith(one) : text.chars().endsWith(one)));
  }

  private static Text removePrefix(Text text, String prefix) {
    return text.chars().startsWith(prefix) ? text.slice(prefix.length(), text.length()) : text;
  }

  private static Text removeSuffix(Text text, String suffix) {
    return text.chars().endsWith(suffix) ? text.slice(0, text.length() - suffix.length()) : text;
  }

  private static Int place(Text text, int utf16) {
    return new Int(utf16 < 0 ? -1 : text.chars().codePointCount(0, utf16));
  }

  private static Int there(Int place) {
    if (place.value() < 0) {
      throw new JinjaException("index of a text that is not there");
    }
    return place;
  }

  private static Value count(Text text, Arguments arguments, Budget budget) {
    String part = part("count", arguments);
    if (part.isEmpty()) {
      return new Int(CodePoints.count(text) + 1L);
    }
    long count = 0;
    int end = text.length();
    for (int at = text.chars().indexOf(part);
        at >= 0;
        at = at + part.length() > end ? -1 : text.chars().indexOf(part, at + part.length())) {
      count++;
    }
    budget.steps(count);
    return new Int(count);
  }

  static Text upper(Text text, Budget budget) {
    budget.characters(text.length());
    return text.respelt(text.chars().toUpperCase(Locale.ROOT));
  }

  static Text lower(Text text, Budget budget) {
    budget.characters(text.length());
    return text.respelt(text.chars().toLowerCase(Locale.ROOT));
  }

  /// Python's `str.title`: a letter behind another is small.
  private static Text title(Text text, Budget budget) {
    budget.characters(text.length());
    StringBuilder out = new StringBuilder();
    boolean behindLetter = false;
    for (int c : text.chars().codePoints().toArray()) {
      out.appendCodePoint(behindLetter ? Character.toLowerCase(c) : Character.toTitleCase(c));
      behindLetter = isCased(c);
    }
    return text.respelt(out.toString());
  }

  static Text capitalize(Text text, Budget budget) {
    budget.characters(text.length());
    if (text.isEmpty()) {
      return text;
    }
    int first = text.chars().codePointAt(0);
    String rest = text.chars().substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
    return text.respelt(Character.toString(Character.toTitleCase(first)) + rest);
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static Value all(String name, Text text, Arguments arguments, IntPredicate test) {
    arguments.none(name);
    return Operators.bool(!text.isEmpty() && text.chars().codePoints().allMatch(test));
  }

  static boolean isUpper(Text text) {
    return text.chars().codePoints().anyMatch(Character::isUpperCase)
        && text.chars().codePoints().noneMatch(c -> isCased(c) && !Character.isUpperCase(c));
  }

  static boolean isLower(Text text) {
    return text.chars().codePoints().anyMatch(Character::isLowerCase)
        && text.chars().codePoints().noneMatch(c -> isCased(c) && !Character.isLowerCase(c));
  }
}
