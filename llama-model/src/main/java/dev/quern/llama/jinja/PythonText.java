package dev.quern.llama.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.HexFormat;
import java.util.Map;

/// Values as Python prints them, and Python's notion of white space.
final class PythonText {
  private PythonText() {}

  /// `str.isspace` of one code point.
  static boolean isSpace(int c) {
    return c >= 0x09 && c <= 0x0d
        || c >= 0x1c && c <= 0x20
        || c == 0x85
        || Character.isSpaceChar(c);
  }

  /// The end of a text without white space at its end.
  static int rightStripped(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return end;
  }

  /// `str(value)`
  static Text str(Value value, Budget budget) {
    if (value instanceof Text text) {
      return text;
    }
    TextBuilder out = new TextBuilder(budget);
    if (!(value instanceof Value.Undefined)) {
      repr(value, out, budget);
    }
    return out.text();
  }

  /// `repr(value)`
  private static void repr(Value value, TextBuilder out, Budget budget) {
    budget.enter();
    budget.steps(1);
    switch (value) {
      case Text text -> quoted(text, out);
      case Value.None _ -> out.append("None");
      case Value.Bool bool -> out.append(bool.value() ? "True" : "False");
      case Value.Int integer -> out.append(Long.toString(integer.value()));
      case Value.Real real -> out.append(real(real.value()));
      case Value.Undefined _ -> out.append("Undefined");
      case Value.Sequence sequence -> sequence(sequence, out, budget);
      case Value.Dict dict -> dict(dict.entries(), out, budget);
      case Value.Namespace namespace -> {
        out.append("<Namespace {");
        String separator = "";
        for (Map.Entry<String, Value> member : namespace.names().entrySet()) {
          quoted(Text.own(member.getKey()), out.append(separator));
          repr(member.getValue(), out.append(": "), budget);
          separator = ", ";
        }
        out.append("}>");
      }
      case Macro macro -> {
        quoted(Text.own(macro.name()), out.append("<Macro "));
        out.append(">");
      }
      case Value.Generator _, Value.Callable _, Loop _ ->
          throw new JinjaException(
              "the text of a function, a loop or a generator, expected a value's");
    }
    budget.leave();
  }

  private static void sequence(Value.Sequence sequence, TextBuilder out, Budget budget) {
    boolean tuple = sequence.kind() == Value.Kind.TUPLE;
    out.append(
        switch (sequence.kind()) {
          case LIST -> "[";
          case TUPLE -> "(";
          case DICT_KEYS -> "dict_keys([";
          case DICT_VALUES -> "dict_values([";
          case DICT_ITEMS -> "dict_items([";
          case RANGE -> throw new JinjaException("the text of a range, expected a list's");
        });
    String separator = "";
    for (Value element : sequence.elements()) {
      repr(element, out.append(separator), budget);
      separator = ", ";
    }
    if (tuple) {
      out.append(sequence.elements().size() == 1 ? ",)" : ")");
    } else {
      out.append(sequence.kind() == Value.Kind.LIST ? "]" : "])");
    }
  }

  private static void dict(Map<Value, Value> entries, TextBuilder out, Budget budget) {
    out.append("{");
    String separator = "";
    for (Map.Entry<Value, Value> entry : entries.entrySet()) {
      repr(entry.getKey(), out.append(separator), budget);
      repr(entry.getValue(), out.append(": "), budget);
      separator = ", ";
    }
    out.append("}");
  }

  /// In single quotes, or in double quotes where the text has single ones only.
  private static void quoted(Text text, TextBuilder out) {
    String chars = text.chars();
    char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
    if (text.markup()) {
      out.append("Markup(");
    }
    out.append(String.valueOf(quote));
    for (int i = 0; i < chars.length(); ) {
      int c = chars.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c == quote || c == '\\' || !isPrintable(c)) {
        out.append(escaped(c), text.origin().charAt(i));
      } else {
        out.append(text, i, next);
      }
      i = next;
    }
    out.append(String.valueOf(quote));
    if (text.markup()) {
      out.append(")");
    }
  }

  private static String escaped(int c) {
    HexFormat hex = HexFormat.of();
    return switch (c) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\'', '"', '\\' -> "\\" + (char) c;
      default ->
          c < 0x100
              ? "\\x" + hex.toHexDigits(c, 2)
              : c < 0x10000 ? "\\u" + hex.toHexDigits(c, 4) : "\\U" + hex.toHexDigits(c, 8);
    };
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /// `repr(float)`: the shortest digits that are this number, with an exponent from 1e16 on and
  /// below 1e-4.
  static String real(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(value);
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = shortest.unscaledValue().abs().toString();
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    String power = Integer.toString(Math.abs(exponent));
    return (value < 0 ? "-" : "")
        + mantissa
        + (exponent < 0 ? "e-" : "e+")
        + (power.length() == 1 ? "0" + power : power);
  }

  /// Java has two digits at least: 4.9E-324 where 5e-324 is enough.
  private static BigDecimal shortest(double value) {
    BigDecimal two = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    BigDecimal one = two.round(new MathContext(1, RoundingMode.HALF_EVEN));
    return two.precision() == 2 && one.doubleValue() == value ? one.stripTrailingZeros() : two;
  }
}
