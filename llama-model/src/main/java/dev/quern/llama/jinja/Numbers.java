package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.Real;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/// Python's arithmetic. Integers have 64 bits: a result of more is refused.
final class Numbers {
  private Numbers() {}

  static Value binary(String operator, Value a, Value b) {
    boolean reals = a instanceof Real || b instanceof Real;
    try {
      return reals || operator.equals("/")
          ? new Real(real(operator, Operators.real(a), Operators.real(b)))
          : integer(operator, Operators.integer(a), Operators.integer(b));
    } catch (ArithmeticException e) {
      throw new JinjaException(
          String.format(
              Locale.ROOT,
              "%s between %s and %s, expected a divisor other than 0 and a result of 64 bits",
              operator,
              Operators.real(a),
              Operators.real(b)),
          e);
    }
  }

  private static Value integer(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> new Int(Math.addExact(a, b));
      case "-" -> new Int(Math.subtractExact(a, b));
      case "*" -> new Int(Math.multiplyExact(a, b));
      case "//" -> new Int(Math.floorDivExact(a, b));
      case "%" -> new Int(Math.floorMod(a, b));
      default -> b < 0 ? new Real(Math.pow(a, b)) : new Int(power(a, b));
    };
  }

  private static long power(long base, long exponent) {
    long result = 1;
    long square = base;
    for (long rest = exponent; rest > 0; rest >>= 1) {
      if ((rest & 1) == 1) {
        result = Math.multiplyExact(result, square);
      }
      if (rest > 1) {
        square = Math.multiplyExact(square, square);
      }
    }
    return result;
  }

  private static double real(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new ArithmeticException("a divisor of 0");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor((a - modulo(a, b)) / b + 0.5);
      case "%" -> modulo(a, b);
      default -> Math.pow(a, b);
    };
  }

  /// With the sign of the divisor.
  private static double modulo(double a, double b) {
    double rest = a % b;
    return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
  }

  /// Jinja's filter `round`.
  ///
  /// @param method `common`: the nearest, of two the even one; `ceil` or `floor`
  static Value round(Value value, long digits, String method) {
    double number = Operators.real(value);
    if (digits < 0 || digits > 15 || Double.isNaN(number) || Double.isInfinite(number)) {
      throw new JinjaException("round to digits other than 0 to 15, expected these of a number");
    }
    double power = Math.pow(10, digits);
    return switch (method) {
      case "common" ->
          value instanceof Real
              ? new Real(
                  new BigDecimal(number)
                      .setScale((int) digits, RoundingMode.HALF_EVEN)
                      .doubleValue())
              : new Int(Operators.integer(value));
      case "ceil" -> new Real(Math.ceil(number * power) / power);
      case "floor" -> new Real(Math.floor(number * power) / power);
      default ->
          throw new JinjaException(
              "round with a method of another name, expected common, ceil or floor");
    };
  }
}
