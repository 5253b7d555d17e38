package dev.quern.llama.constrain;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Numbers between bounds, as expressions over their digits: as long as the digits so far are those
/// of a bound, the next one is bounded by it.
final class NumberTexts {
  /// Most digits before the point: a double has them (RFC 7493, I-JSON).
  static final int DIGITS = 15;

  /// Most digits behind the point.
  static final int FRACTION_DIGITS = 16;

  /// Most digits behind the point where there are bounds that do not have more, so that who rounds
  /// to a double comes to no bound.
  private static final int BOUNDED_FRACTION_DIGITS = 6;

  /// Largest integer that is written.
  private static final BigInteger LIMIT = BigInteger.TEN.pow(DIGITS).subtract(BigInteger.ONE);

  private static final int MAX_REMAINDERS = 256;
  private static final int MAX_MULTIPLES = 10_000;

  /// An end of a range.
  ///
  /// @param open whether the value itself is not in it
  record Bound(BigDecimal value, boolean open) {
    Bound negated() {
      return new Bound(value.negate(), open);
    }
  }

  private NumberTexts() {}

  /// The integers from `min` to `max`, of up to 15 digits.
  ///
  /// @param min null where there is none
  /// @param max null where there is none
  static Expression integers(Bound min, Bound max) {
    BigInteger low = low(min);
    BigInteger high = high(max);
    List<Expression> options = new ArrayList<>();
    if (high.signum() >= 0 && low.compareTo(high) <= 0) {
      options.add(natural(low.max(BigInteger.ZERO), high));
    }
    if (low.signum() < 0 && low.compareTo(high) <= 0) {
      BigInteger most = high.min(BigInteger.ONE.negate()).negate();
      options.add(Expression.sequence(Expression.text("-"), natural(most, low.negate())));
    }
    return new Expression.Choice(options);
  }

  /// The multiples of a number from `min` to `max`; null where they would be too many to list, or
  /// the number is too large.
  static Expression multiples(int of, Bound min, Bound max) {
    BigInteger step = BigInteger.valueOf(of);
    if (min == null && max == null) {
      return of > MAX_REMAINDERS ? null : multiples(of);
    }
    BigInteger first =
        ceiling(new BigDecimal(low(min)).divide(new BigDecimal(step), 0, RoundingMode.CEILING));
    BigInteger last = high(max).subtract(high(max).mod(step)).divide(step);
    BigInteger count = last.subtract(first).add(BigInteger.ONE);
    if (count.compareTo(BigInteger.valueOf(MAX_MULTIPLES)) > 0) {
      return null;
    }
    List<Expression> options = new ArrayList<>();
    for (BigInteger i = first; i.compareTo(last) <= 0; i = i.add(BigInteger.ONE)) {
      options.add(Expression.text(i.multiply(step).toString()));
    }
    return new Expression.Choice(options);
  }

  /// All multiples of a number of up to 15 digits: a rule for each remainder of the digits so far
  /// and each number of digits that are left.
  private static Expression multiples(int of) {
    List<Expression.Rule> behind = List.of();
    for (int left = 0; left < DIGITS; left++) {
      List<Expression.Rule> rules = new ArrayList<>();
      for (int r = 0; r < of; r++) {
        Expression.Rule rule = new Expression.Rule(false);
        List<Expression> options = left == 0 ? new ArrayList<>() : digits(0, 10 * r, behind);
        if (r == 0) {
          options.add(Expression.EMPTY);
        }
        rule.is(new Expression.Choice(options));
        rules.add(rule);
      }
      behind = rules;
    }
    return Expression.choice(
        Expression.text("0"),
        Expression.sequence(
            Expression.optional(Expression.text("-")),
            new Expression.Choice(digits(1, 0, behind))));
  }

  private static List<Expression> digits(int from, int value, List<Expression.Rule> rules) {
    List<Expression> options = new ArrayList<>();
    for (int d = from; d <= 9; d++) {
      Expression.Rule rule = rules.get((value + d) % rules.size());
      options.add(Expression.sequence(digits(d, d), new Expression.Call(rule)));
    }
    return options;
  }

  private static BigInteger low(Bound min) {
    if (min == null) {
      return LIMIT.negate();
    }
    BigInteger least = ceiling(min.value);
    boolean itself = min.open && min.value.compareTo(new BigDecimal(least)) == 0;
    return (itself ? least.add(BigInteger.ONE) : least).max(LIMIT.negate());
  }

  private static BigInteger high(Bound max) {
    return max == null ? LIMIT : low(max.negated()).negate();
  }

  private static BigInteger ceiling(BigDecimal value) {
    return value.setScale(0, RoundingMode.CEILING).unscaledValue();
  }

  /// @param low at least 0
  /// @param high at least `low`
  private static Expression natural(BigInteger low, BigInteger high) {
    if (low.compareTo(high) > 0) {
      return Expression.NEVER;
    }
    String least = low.toString();
    String most = high.toString();
    List<Expression> options = new ArrayList<>();
    for (int n = least.length(); n <= most.length(); n++) {
      String from = n == least.length() ? least : "1" + "0".repeat(n - 1);
      String to = n == most.length() ? most : "9".repeat(n);
      options.add(new Digits(from, false, to, false, n).whole(0, true, true));
    }
    return new Expression.Choice(options);
  }

  /// The digits behind the point that numbers between bounds have at the most.
  ///
  /// @param min null where there is none
  /// @param max null where there is none
  static int fractionDigits(Bound min, Bound max) {
    int bounds = Math.max(scale(min), scale(max));
    return Math.clamp(bounds + 1L, BOUNDED_FRACTION_DIGITS, FRACTION_DIGITS);
  }

  private static int scale(Bound bound) {
    return bound == null ? 0 : bound.value.stripTrailingZeros().scale();
  }

  /// The numbers between bounds, without an exponent.
  ///
  /// @param min null where there is none
  /// @param max null where there is none
  /// @param fractionDigits most behind the point
  static Expression numbers(Bound min, Bound max, int fractionDigits) {
    Bound zero = new Bound(BigDecimal.ZERO, false);
    List<Expression> options = new ArrayList<>();
    if (max == null || max.value.signum() >= 0) {
      Bound low = min == null || min.value.signum() < 0 ? zero : min;
      options.add(positive(low, max, fractionDigits));
    }
    if (min == null || min.value.signum() < 0) { // there is no -0
      boolean below = max != null && max.value.signum() < 0;
      Bound low = below ? max.negated() : new Bound(BigDecimal.ZERO, true);
      Bound high = min == null ? null : min.negated();
      options.add(Expression.sequence(Expression.text("-"), positive(low, high, fractionDigits)));
    }
    return new Expression.Choice(options);
  }

  /// @param low at least 0
  /// @param high null where there is none
  private static Expression positive(Bound low, Bound high, int fractionDigits) {
    BigInteger first = low.value.toBigInteger();
    BigInteger last = high == null ? LIMIT.add(BigInteger.ONE) : high.value.toBigInteger();
    if (first.compareTo(LIMIT) > 0 || first.compareTo(last) > 0) {
      return Expression.NEVER;
    }
    String from = fraction(low);
    String to = high == null ? "" : fraction(high);
    boolean openTo = high != null && high.open;
    Digits digits = new Digits(from, low.open, to, openTo, fractionDigits);
    if (first.equals(last)) {
      return Expression.sequence(Expression.text(first.toString()), digits.behindPoint(true, true));
    }
    List<Expression> options = new ArrayList<>();
    options.add(
        Expression.sequence(Expression.text(first.toString()), digits.behindPoint(true, false)));
    BigInteger between = last.subtract(BigInteger.ONE).min(LIMIT);
    options.add(
        Expression.sequence(
            natural(first.add(BigInteger.ONE), between), digits.behindPoint(false, false)));
    if (last.compareTo(LIMIT) <= 0) {
      options.add(
          Expression.sequence(Expression.text(last.toString()), digits.behindPoint(false, true)));
    }
    return new Expression.Choice(options);
  }

  private static String fraction(Bound bound) {
    BigDecimal fraction = bound.value.remainder(BigDecimal.ONE).stripTrailingZeros();
    return fraction.signum() == 0
        ? ""
        : String.format(Locale.ROOT, "%0" + fraction.scale() + "d", fraction.unscaledValue());
  }

  private static Expression digits(int from, int to) {
    return new Expression.Chars(CodePoints.of('0' + from, '0' + to));
  }

  /// Digits between those of two bounds.
  ///
  /// @param most digits: of whole numbers exactly so many
  private record Digits(String from, boolean openFrom, String to, boolean openTo, int most) {
    /// What follows the first `i` digits of a whole number.
    ///
    /// @param low whether those are the lower bound's
    /// @param high whether those are the upper bound's
    Expression whole(int i, boolean low, boolean high) {
      if (i == most) {
        return Expression.EMPTY;
      }
      if (!low && !high) {
        return new Expression.Repeat(digits(0, 9), most - i, most - i);
      }
      List<Expression> options = new ArrayList<>();
      each(
          i,
          low,
          high,
          (digit, l, h) -> options.add(Expression.sequence(digit, whole(i + 1, l, h))));
      return new Expression.Choice(options);
    }

    /// The point and what follows it, or nothing.
    Expression behindPoint(boolean low, boolean high) {
      return fraction(0, low, high);
    }

    private Expression fraction(int i, boolean below, boolean high) {
      boolean low = below && (openFrom || !isOver(from, i));
      boolean mayEnd = !low && !(high && openTo && isOver(to, i));
      List<Expression> longer = new ArrayList<>();
      if (i < most && !low && !high) {
        longer.add(new Expression.Repeat(digits(0, 9), 1, most - i));
      } else if (i < most) {
        each(
            i,
            low,
            high,
            (digit, l, h) -> longer.add(Expression.sequence(digit, fraction(i + 1, l, h))));
      }
      Expression more = new Expression.Choice(longer);
      more = i == 0 ? Expression.sequence(Expression.text("."), more) : more;
      return mayEnd ? Expression.choice(Expression.EMPTY, more) : more;
    }

    private interface Option {
      void take(Expression digit, boolean low, boolean high);
    }

    /// The digits that may come, those between the bounds' at once.
    private void each(int i, boolean low, boolean high, Option option) {
      int first = low ? digit(from, i) : 0;
      int last = high ? digit(to, i) : 9;
      if (first == last) {
        option.take(digits(first, first), low, high);
        return;
      }
      if (first > last) {
        return;
      }
      if (low) {
        option.take(digits(first, first), true, false);
        first++;
      }
      if (high) {
        option.take(digits(last, last), false, true);
        last--;
      }
      if (first <= last) {
        option.take(digits(first, last), false, false);
      }
    }

    private static int digit(String of, int i) {
      return i < of.length() ? of.charAt(i) - '0' : 0;
    }

    private static boolean isOver(String digits, int i) {
      return i >= digits.length(); // they end with no zero
    }
  }
}
