package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;

/// The strings and numbers of a schema.
record SchemaScalars(SchemaNode node) {
  private static final String TIME_OF_DAY =
      "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-](0\\d|1[0-7]):[0-5]\\d)";
  private static final String DAY =
      "[12]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))";
  private static final String OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

  /// The formats that are kept to (RFC 3339, 4122, 2673), without 29 February and seconds of 60,
  /// which not every year and minute has.
  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DAY,
          "time",
          TIME_OF_DAY,
          "date-time",
          DAY + "T" + TIME_OF_DAY,
          "uuid",
          "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
          "ipv4",
          OCTET + "(\\." + OCTET + "){3}");

  Expression string(JsonTexts json) {
    if (node.has("pattern")) {
      String others = "beside pattern; say it in the pattern";
      for (String key : new String[] {"minLength", "maxLength", "format"}) {
        if (node.has(key)) {
          throw node.fail(key, "can't be kept to " + others);
        }
      }
      try {
        return JsonTexts.string(RegexParser.search(node.string("pattern")));
      } catch (RequestException e) {
        throw node.fail("pattern", e.getMessage().replace("constraint: ", ""));
      }
    }
    if (node.has("format")) {
      String format = FORMATS.get(node.string("format"));
      if (format == null) {
        throw node.fail(
            "format",
            "can't be kept to, expected one of " + FORMATS.keySet().stream().sorted().toList());
      }
      if (node.has("minLength") || node.has("maxLength")) {
        throw node.fail("format", "can't be kept to beside a length");
      }
      return JsonTexts.string(RegexParser.parse(format));
    }
    int min = node.count("minLength").orElse(0);
    int max = node.count("maxLength").orElse(Expression.UNBOUNDED);
    if (max != Expression.UNBOUNDED && max < min) {
      throw node.fail("minLength", "expected no more than maxLength");
    }
    return json.string(min, max);
  }

  Expression integer() {
    Optional<BigDecimal> step = node.number("multipleOf");
    if (step.isPresent() && step.get().compareTo(BigDecimal.ONE) != 0) {
      return multiples(step.get());
    }
    return NumberTexts.integers(min(), max());
  }

  private Expression multiples(BigDecimal step) {
    Expression all = null;
    if (step.signum() > 0
        && step.stripTrailingZeros().scale() <= 0
        && step.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) <= 0) {
      all = NumberTexts.multiples(step.intValueExact(), min(), max());
    }
    if (all == null) {
      throw node.fail(
          "multipleOf",
          "can't be kept to, expected an integer up to 256, or bounds with at most 10000 multiples between them");
    }
    return all;
  }

  Expression number() {
    NumberTexts.Bound min = min();
    NumberTexts.Bound max = max();
    if (!node.has("multipleOf")) {
      return min == null && max == null
          ? JsonTexts.number()
          : NumberTexts.numbers(min, max, NumberTexts.fractionDigits(min, max));
    }
    BigDecimal step = node.number("multipleOf").orElseThrow().stripTrailingZeros();
    if (step.scale() <= 0 && step.compareTo(BigDecimal.ONE) != 0) {
      return multiples(step);
    }
    boolean isDigit = step.unscaledValue().equals(BigInteger.ONE);
    if (!isDigit || step.scale() > NumberTexts.FRACTION_DIGITS) {
      throw node.fail(
          "multipleOf", "can't be kept to, expected an integer, or 0.1, 0.01 and so on");
    }
    return NumberTexts.numbers(min, max, step.scale());
  }

  /// The larger of two lower bounds; null where there is none.
  private NumberTexts.Bound min() {
    return closer("minimum", "exclusiveMinimum", 1);
  }

  private NumberTexts.Bound max() {
    return closer("maximum", "exclusiveMaximum", -1);
  }

  private NumberTexts.Bound closer(String closed, String open, int sign) {
    Optional<BigDecimal> at = node.number(closed);
    Optional<BigDecimal> beyond = node.number(open);
    if (beyond.isPresent() && (at.isEmpty() || sign * beyond.get().compareTo(at.get()) >= 0)) {
      return new NumberTexts.Bound(beyond.get(), true);
    }
    return at.map(value -> new NumberTexts.Bound(value, false)).orElse(null);
  }
}
