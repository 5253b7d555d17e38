package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Bool;
import dev.quern.llama.jinja.Value.Dict;
import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.Real;
import dev.quern.llama.jinja.Value.Sequence;
import dev.quern.llama.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Python's operators on values.
final class Operators {
  private Operators() {}

  static Bool bool(boolean value) {
    return new Bool(value);
  }

  static boolean isTrue(Value value) {
    return switch (value) {
      case Text text -> !text.isEmpty();
      case Value.None _, Undefined _ -> false;
      case Bool bool -> bool.value();
      case Int integer -> integer.value() != 0;
      case Real real -> real.value() != 0;
      case Sequence sequence -> !sequence.elements().isEmpty();
      case Dict dict -> !dict.entries().isEmpty();
      case Value.Generator _, Value.Namespace _, Value.Callable _ -> true;
      case Loop loop -> loop.length() > 0;
    };
  }

  /// What a message calls a value.
  static String kind(Value value) {
    return switch (value) {
      case Text _ -> "a string";
      case Value.None _ -> "none";
      case Bool _ -> "a boolean";
      case Int _ -> "an integer";
      case Real _ -> "a float";
      case Sequence sequence ->
          "a " + sequence.kind().toString().toLowerCase(Locale.ROOT).replace('_', ' ');
      case Value.Generator _ -> "a generator";
      case Dict _ -> "a dict";
      case Undefined undefined -> undefined.what() + ", which is undefined";
      case Value.Namespace _ -> "a namespace";
      case Value.Callable callable -> callable.name();
      case Loop _ -> "a loop";
    };
  }

  static JinjaException unfit(String operation, Value value, String expected) {
    return new JinjaException(
        String.format(Locale.ROOT, "%s of %s, expected %s", operation, kind(value), expected));
  }

  /// The elements that a loop over a value sees.
  static List<Value> elements(Value value, Budget budget) {
    List<Value> elements =
        switch (value) {
          case Sequence sequence -> sequence.elements();
          case Value.Generator generator -> generator.take();
          case Dict dict -> List.copyOf(dict.entries().keySet());
          case Text text -> CodePoints.all(text, budget);
          case Undefined _ -> List.of();
          default -> throw unfit("the elements", value, "a list or a dict");
        };
    budget.steps(elements.size());
    return elements;
  }

  static int length(Value value) {
    return switch (value) {
      case Text text -> CodePoints.count(text);
      case Sequence sequence -> sequence.elements().size();
      case Dict dict -> dict.entries().size();
      case Undefined _ -> 0;
      case Loop loop -> loop.length();
      default -> throw unfit("the length", value, "a string, a list or a dict");
    };
  }

  static boolean equal(Value a, Value b, Budget budget) {
    budget.enter();
    budget.steps(1);
    boolean equal;
    if (isNumber(a) && isNumber(b)) {
      equal =
          a instanceof Real || b instanceof Real ? real(a) == real(b) : integer(a) == integer(b);
    } else if (a instanceof Sequence left && b instanceof Sequence right) {
      equal = left.kind() == right.kind() && equal(left.elements(), right.elements(), budget);
    } else if (a instanceof Dict left && b instanceof Dict right) {
      equal = left.entries().size() == right.entries().size();
      for (Map.Entry<Value, Value> entry : left.entries().entrySet()) {
        Value other = right.entries().get(entry.getKey());
        equal = equal && other != null && equal(entry.getValue(), other, budget);
      }
    } else if (a instanceof Undefined && b instanceof Undefined) {
      equal = true;
    } else {
      if (a instanceof Text text) {
        budget.look(text);
      }
      equal = a instanceof Text || a instanceof Value.None ? a.equals(b) : a == b;
    }
    budget.leave();
    return equal;
  }

  private static boolean equal(List<Value> a, List<Value> b, Budget budget) {
    boolean equal = a.size() == b.size();
    for (int i = 0; equal && i < a.size(); i++) {
      equal = equal(a.get(i), b.get(i), budget);
    }
    return equal;
  }

  /// Less than 0, 0 or more, as `a` comes before `b` or not.
  static int order(Value a, Value b, Budget budget) {
    budget.enter();
    budget.steps(1);
    budget.look(a);
    int order = orderOf(a, b, budget);
    budget.leave();
    return order;
  }

  private static int orderOf(Value a, Value b, Budget budget) {
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Real || b instanceof Real
          ? Double.compare(real(a) + 0.0, real(b) + 0.0)
          : Long.compare(integer(a), integer(b));
    }
    if (a instanceof Text left && b instanceof Text right) {
      return left.compareTo(right);
    }
    if (a instanceof Sequence left && b instanceof Sequence right && left.kind() == right.kind()) {
      int end = Math.min(left.elements().size(), right.elements().size());
      for (int i = 0; i < end; i++) {
        if (!equal(left.elements().get(i), right.elements().get(i), budget)) {
          return order(left.elements().get(i), right.elements().get(i), budget);
        }
      }
      return Integer.compare(left.elements().size(), right.elements().size());
    }
    throw new JinjaException(
        String.format(
            Locale.ROOT,
            "%s compared with %s, expected two numbers or two strings",
            kind(a),
            kind(b)));
  }

  static boolean contains(Value container, Value element, Budget budget) {
    if (container instanceof Text text) {
      if (!(element instanceof Text part)) {
        throw unfit("in a string: a search", element, "a string");
      }
      budget.search(text, part);
      return text.chars().contains(part.chars());
    }
    if (container instanceof Dict dict) {
      return dict.entries().containsKey(key(element));
    }
    for (Value candidate : elements(container, budget)) {
      if (equal(candidate, element, budget)) {
        return true;
      }
    }
    return false;
  }

  /// A value as a dict's key: tuples have no others in them, whose hashes could take for ever.
  static Value key(Value value) {
    boolean fits =
        value instanceof Sequence sequence
            ? sequence.kind() == Value.Kind.TUPLE
                && sequence.elements().stream().allMatch(Operators::isScalar)
            : isScalar(value);
    if (!fits) {
      throw unfit("a dict's key", value, "a string");
    }
    return value;
  }

  private static boolean isScalar(Value value) {
    return switch (value) {
      case Text _, Value.None _, Bool _, Int _, Real _ -> true;
      default -> false;
    };
  }

  static Value binary(String operator, Value a, Value b, Budget budget) {
    if (isNumber(a) && isNumber(b)) {
      return Numbers.binary(operator, a, b);
    }
    if (operator.equals("+")) {
      return sum(a, b, budget);
    }
    if (operator.equals("*") && isInteger(b)) {
      return repeated(a, integer(b), budget);
    }
    if (operator.equals("*") && isInteger(a)) {
      return repeated(b, integer(a), budget);
    }
    throw unfit(operator, a, b);
  }

  private static Value sum(Value a, Value b, Budget budget) {
    if (a instanceof Text left && b instanceof Text right) {
      boolean markup = left.markup() || right.markup();
      TextBuilder out = new TextBuilder(budget);
      append(left, markup, out);
      append(right, markup, out);
      return out.text().withMarkup(markup);
    }
    if (a instanceof Sequence(Value.Kind kind, List<Value> left)
        && b instanceof Sequence(Value.Kind other, List<Value> right)
        && kind == other
        && (kind == Value.Kind.LIST || kind == Value.Kind.TUPLE)) {
      budget.steps((long) left.size() + right.size());
      List<Value> all = new ArrayList<>(left);
      all.addAll(right);
      return new Sequence(kind, all);
    }
    throw unfit("+", a, b);
  }

  private static void append(Text text, boolean markup, TextBuilder out) {
    if (markup && !text.markup()) {
      Html.escape(text, out);
    } else {
      out.append(text);
    }
  }

  private static Value repeated(Value of, long times, Budget budget) {
    long count = Math.max(0, times);
    switch (of) {
      case Text text -> {
        budget.steps(count);
        TextBuilder out = new TextBuilder(budget);
        for (long i = 0; i < count; i++) {
          out.append(text);
        }
        return out.text().withMarkup(text.markup());
      }
      case Sequence(Value.Kind kind, List<Value> elements)
          when kind == Value.Kind.LIST || kind == Value.Kind.TUPLE -> {
        budget.steps(count);
        List<Value> all = new ArrayList<>();
        for (long i = 0; i < count; i++) {
          budget.steps(elements.size());
          all.addAll(elements);
        }
        return new Sequence(kind, all);
      }
      default -> throw unfit("*", of, new Int(times));
    }
  }

  private static JinjaException unfit(String operator, Value a, Value b) {
    return new JinjaException(
        String.format(
            Locale.ROOT,
            "%s between %s and %s, expected two values that have it",
            operator,
            kind(a),
            kind(b)));
  }

  static boolean isNumber(Value value) {
    return value instanceof Real || isInteger(value);
  }

  static boolean isInteger(Value value) {
    return value instanceof Int || value instanceof Bool;
  }

  /// An `int`, as which a `bool` counts too.
  static long integer(Value value) {
    return switch (value) {
      case Int integer -> integer.value();
      case Bool bool -> bool.value() ? 1 : 0;
      default -> throw unfit("the number", value, "an integer");
    };
  }

  static double real(Value value) {
    return value instanceof Real real ? real.value() : integer(value);
  }

  static Text text(Value value, String operation) {
    if (value instanceof Text text) {
      return text;
    }
    throw unfit(operation, value, "a string");
  }
}
