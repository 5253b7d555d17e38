package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Bool;
import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.None;
import dev.quern.llama.jinja.Value.Real;
import dev.quern.llama.jinja.Value.Sequence;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;

/// Jinja's filters, `value | name`: those of one value. [SequenceFilters] has those of several.
final class Filters {
  /// What a filter does to a value.
  interface Filter {
    Value apply(Evaluator evaluator, Value value, Arguments arguments);
  }

  private static final int MAX_NUMERAL = 400;

  private static final Map<String, Filter> FILTERS = new TreeMap<>(SequenceFilters.FILTERS);

  static {
    FILTERS.put("abs", (_, value, arguments) -> abs(value, arguments));
    FILTERS.put("capitalize", text(TextMethods::capitalize));
    FILTERS.put("lower", text(TextMethods::lower));
    FILTERS.put("upper", text(TextMethods::upper));
    FILTERS.put("title", text(Filters::title));
    FILTERS.put("string", text((text, _) -> text));
    FILTERS.put("safe", text((text, _) -> text.withMarkup(true)));
    FILTERS.put("escape", text((text, budget) -> text.markup() ? text : escaped(text, budget)));
    FILTERS.put("e", FILTERS.get("escape"));
    FILTERS.put("forceescape", text(Filters::escaped));
    FILTERS.put("default", (_, value, arguments) -> orDefault(value, arguments));
    FILTERS.put("d", FILTERS.get("default"));
    FILTERS.put("int", (_, value, arguments) -> integer(value, arguments));
    FILTERS.put("float", (_, value, arguments) -> real(value, arguments));
    FILTERS.put("round", (_, value, arguments) -> round(value, arguments));
    FILTERS.put("trim", Filters::trim);
    FILTERS.put("replace", Filters::replace);
    FILTERS.put("indent", Filters::indent);
    FILTERS.put("tojson", Filters::toJson);
  }

  private Filters() {}

  static boolean has(String name) {
    return FILTERS.containsKey(name);
  }

  static Set<String> names() {
    return FILTERS.keySet();
  }

  static Value apply(String name, Evaluator evaluator, Value value, Arguments arguments) {
    Filter filter = FILTERS.get(name);
    if (filter == null) { // `map` takes a name that a template computes
      throw new JinjaException("the filter of another name, expected one of " + names());
    }
    evaluator.budget().look(value);
    if (value instanceof Text in
        && !arguments.positional().isEmpty()
        && arguments.positional().getFirst() instanceof Text part) {
      evaluator.budget().search(in, part);
    }
    return filter.apply(evaluator, value, arguments);
  }

  private static Filter text(BiFunction<Text, Budget, Text> body) {
    return (evaluator, value, arguments) -> {
      arguments.none("this filter");
      Text text = PythonText.str(value, evaluator.budget());
      return body.apply(text, evaluator.budget());
    };
  }

  private static Text escaped(Text text, Budget budget) {
    TextBuilder out = new TextBuilder(budget);
    Html.escape(text, out);
    return out.text().withMarkup(true);
  }

  private static Value abs(Value value, Arguments arguments) {
    arguments.none("abs");
    return value instanceof Real real
        ? new Real(Math.abs(real.value()))
        : Operators.integer(value) < 0
            ? Numbers.binary("-", new Int(0), value)
            : new Int(Operators.integer(value));
  }

  /// Words begin behind white space, `-` and opening brackets.
  private static Text title(Text text, Budget budget) {
    budget.characters(text.length());
    StringBuilder out = new StringBuilder();
    boolean begins = true;
    for (int c : text.chars().codePoints().toArray()) {
      boolean separates = PythonText.isSpace(c) || "-({[<".indexOf(c) >= 0;
      String spelt = Character.toString(c);
      out.append(begins ? spelt.toUpperCase(Locale.ROOT) : spelt.toLowerCase(Locale.ROOT));
      begins = separates;
    }
    return text.respelt(out.toString());
  }

  private static Value orDefault(Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("default", "default_value", "boolean");
    boolean falseToo = Operators.isTrue(bound.getOrDefault("boolean", None.NONE));
    return value instanceof Value.Undefined || falseToo && !Operators.isTrue(value)
        ? bound.getOrDefault("default_value", Text.EMPTY)
        : value;
  }

  private static Value integer(Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("int", "default", "base");
    if (bound.containsKey("base") && !new Int(10).equals(bound.get("base"))) {
      throw new JinjaException("int with a base, expected the decimal one");
    }
    Value other = bound.getOrDefault("default", new Int(0));
    return switch (value) {
      case Int integer -> integer;
      case Bool bool -> new Int(Operators.integer(bool));
      case Real real -> truncated(real.value(), other);
      case Text text -> {
        String digits = numeral(text);
        if (digits.matches("[+-]?[0-9]++(_[0-9]++)?")) {
          yield truncated(new BigDecimal(digits.replace("_", "")));
        }
        yield number(text).map(number -> truncated(number, other)).orElse(other);
      }
      case Value.Undefined _ -> throw Operators.unfit("int", value, "a value that there is");
      default -> other;
    };
  }

  private static Value truncated(double number, Value other) {
    return Double.isNaN(number) || Double.isInfinite(number)
        ? other
        : truncated(new BigDecimal(number));
  }

  private static Value truncated(BigDecimal number) {
    try {
      return new Int(number.setScale(0, RoundingMode.DOWN).longValueExact());
    } catch (ArithmeticException e) {
      throw new JinjaException("int of more than 64 bits, expected fewer", e);
    }
  }

  private static Value real(Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("float", "default");
    Value other = bound.getOrDefault("default", new Real(0));
    return switch (value) {
      case Real real -> real;
      case Int _, Bool _ -> new Real(Operators.real(value));
      case Text text -> number(text).<Value>map(Real::new).orElse(other);
      case Value.Undefined _ -> throw Operators.unfit("float", value, "a value that there is");
      default -> other;
    };
  }

  /// A text as long as numbers are, or what is none.
  private static String numeral(Text text) {
    String numeral = text.chars().strip();
    return numeral.length() <= MAX_NUMERAL ? numeral : "";
  }

  private static Optional<Double> number(Text text) {
    String number = numeral(text);
    return number.matches("[+-]?([0-9]++[.]?[0-9]*+|[.][0-9]++)([eE][+-]?[0-9]++)?")
        ? Optional.of(Double.parseDouble(number))
        : Optional.empty();
  }

  private static Value round(Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("round", "precision", "method");
    return Numbers.round(
        value,
        Operators.integer(bound.getOrDefault("precision", new Int(0))),
        Operators.text(bound.getOrDefault("method", Text.own("common")), "round").chars());
  }

  private static Value trim(Evaluator evaluator, Value value, Arguments arguments) {
    Text text = PythonText.str(value, evaluator.budget());
    Optional<String> chars =
        Optional.ofNullable(arguments.bind("trim", "chars").get("chars"))
            .filter(set -> set != None.NONE)
            .map(set -> Operators.text(set, "trim").chars());
    return TextMethods.strip(text, chars, true, true);
  }

  private static Value replace(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("replace", "old", "new", "count");
    Budget budget = evaluator.budget();
    Value count = bound.getOrDefault("count", None.NONE);
    return TextMethods.replace(
        PythonText.str(value, budget),
        PythonText.str(Arguments.need(bound, "old", "replace"), budget).chars(),
        PythonText.str(Arguments.need(bound, "new", "replace"), budget),
        count == None.NONE || Operators.integer(count) < 0
            ? Long.MAX_VALUE
            : Operators.integer(count),
        budget);
  }

  private static Value indent(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound = arguments.bind("indent", "width", "first", "blank");
    Budget budget = evaluator.budget();
    Value width = bound.getOrDefault("width", new Int(4));
    Text indent =
        width instanceof Text text
            ? text
            : (Text) Operators.binary("*", Text.own(" "), width, budget);
    boolean blank = Operators.isTrue(bound.getOrDefault("blank", None.NONE));
    boolean first = Operators.isTrue(bound.getOrDefault("first", None.NONE));
    Text text = Operators.text(value, "indent");
    Text ended = (Text) Operators.binary("+", text, Text.own("\n"), budget);
    List<Text> lines = TextParts.lines(ended, false, budget);
    TextBuilder out = new TextBuilder(budget);
    for (int i = 0; i < lines.size(); i++) {
      if (i > 0) {
        out.append("\n");
      }
      if (i == 0 ? first : blank || !lines.get(i).isEmpty()) {
        out.append(indent);
      }
      out.append(lines.get(i));
    }
    return out.text();
  }

  /// As transformers has it: `json.dumps` with characters as they are, and no escapes for HTML.
  private static Value toJson(Evaluator evaluator, Value value, Arguments arguments) {
    Map<String, Value> bound =
        arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Optional<String> indent =
        switch (bound.getOrDefault("indent", None.NONE)) {
          case None _ -> Optional.empty();
          case Text text -> Optional.of(text.chars());
          case Value width ->
              Optional.of(
                  ((Text) Operators.binary("*", Text.own(" "), width, evaluator.budget())).chars());
        };
    String itemSeparator = indent.isPresent() ? "," : ", ";
    String keySeparator = ": ";
    if (bound.getOrDefault("separators", None.NONE) instanceof Sequence separators) {
      if (separators.elements().size() != 2) {
        throw new JinjaException("tojson with other separators, expected two");
      }
      itemSeparator = Operators.text(separators.elements().get(0), "tojson").chars();
      keySeparator = Operators.text(separators.elements().get(1), "tojson").chars();
    }
    JsonText.Style style =
        new JsonText.Style(
            Operators.isTrue(bound.getOrDefault("ensure_ascii", None.NONE)),
            indent,
            itemSeparator,
            keySeparator,
            Operators.isTrue(bound.getOrDefault("sort_keys", None.NONE)));
    return JsonText.of(value, style, evaluator.budget());
  }
}
