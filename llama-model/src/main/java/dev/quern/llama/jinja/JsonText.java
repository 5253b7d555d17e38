package dev.quern.llama.jinja;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Values as Python's `json.dumps` writes them.
final class JsonText {
  private final Style style;
  private final Budget budget;
  private final TextBuilder out;

  /// @param indent empty: one line
  record Style(
      boolean ascii,
      Optional<String> indent,
      String itemSeparator,
      String keySeparator,
      boolean sorted) {}

  private JsonText(Style style, Budget budget) {
    this.style = style;
    this.budget = budget;
    this.out = new TextBuilder(budget);
  }

  static Text of(Value value, Style style, Budget budget) {
    JsonText json = new JsonText(style, budget);
    json.write(value, 0);
    return json.out.text();
  }

  private void write(Value value, int level) {
    budget.enter();
    budget.steps(1);
    switch (value) {
      case Text text -> string(text);
      case Value.Sequence(Value.Kind kind, List<Value> elements)
          when kind == Value.Kind.LIST || kind == Value.Kind.TUPLE -> {
        out.append("[");
        boolean first = true;
        for (Value element : elements) {
          begin(first, level + 1);
          write(element, level + 1);
          first = false;
        }
        end(first, level, "]");
      }
      case Value.Dict dict -> object(dict, level);
      default -> out.append(scalar(value, "a value as JSON has it"));
    }
    budget.leave();
  }

  private void object(Value.Dict dict, int level) {
    out.append("{");
    boolean first = true;
    List<Map.Entry<Value, Value>> entries = List.copyOf(dict.entries().entrySet());
    if (style.sorted()) {
      entries =
          entries.stream()
              .sorted(Map.Entry.comparingByKey((a, b) -> Operators.order(a, b, budget)))
              .toList();
    }
    for (Map.Entry<Value, Value> entry : entries) {
      begin(first, level + 1);
      switch (entry.getKey()) {
        case Text text -> string(text);
        default -> string(Text.own(scalar(entry.getKey(), "a key as JSON has it")));
      }
      out.append(style.keySeparator());
      write(entry.getValue(), level + 1);
      first = false;
    }
    end(first, level, "}");
  }

  private void begin(boolean first, int level) {
    if (!first) {
      out.append(style.itemSeparator());
    }
    line(level);
  }

  private void end(boolean empty, int level, String bracket) {
    if (!empty) {
      line(level);
    }
    out.append(bracket);
  }

  private void line(int level) {
    style
        .indent()
        .ifPresent(indent -> {
          budget.characters((long) indent.length() * level);
          out.append("\n" + indent.repeat(level));
        });
  }

  private static String scalar(Value value, String expected) {
    return switch (value) {
      case Value.None _ -> "null";
      case Value.Bool bool -> Boolean.toString(bool.value());
      case Value.Int integer -> Long.toString(integer.value());
      case Value.Real real ->
          Double.isNaN(real.value())
              ? "NaN"
              : Double.isInfinite(real.value())
                  ? real.value() > 0 ? "Infinity" : "-Infinity"
                  : PythonText.real(real.value());
      default ->
          throw new JinjaException("tojson of " + Operators.kind(value) + ", expected " + expected);
    };
  }

  private void string(Text text) {
    out.append("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.chars().charAt(i);
      String escaped = escaped(c);
      if (escaped.isEmpty()) {
        out.append(text, i, i + 1);
      } else {
        out.append(escaped, text.origin().charAt(i));
      }
    }
    out.append("\"");
  }

  private String escaped(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      default -> c < 0x20 || style.ascii() && c > 0x7e ? "\\u" + HexFormat.of().toHexDigits(c) : "";
    };
  }
}
