package dev.quern.llama.jinja;

import dev.quern.llama.jinja.Value.Int;
import dev.quern.llama.jinja.Value.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// Texts in parts, as Python's `str` has them.
final class TextParts {
  private static final String LINE_ENDS = "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029";

  private TextParts() {}

  /// `split` and `rsplit`.
  static Value split(Text text, Arguments arguments, Budget budget, boolean fromRight) {
    String name = fromRight ? "rsplit" : "split";
    Map<String, Value> bound = arguments.bind(name, "sep", "maxsplit");
    long given = Operators.integer(bound.getOrDefault("maxsplit", new Int(-1)));
    long max = given < 0 ? Long.MAX_VALUE : given;
    Value separator = bound.getOrDefault("sep", Value.None.NONE);
    budget.characters(text.length());
    List<Value> parts = new ArrayList<>();
    if (separator != Value.None.NONE) {
      String by = Operators.text(separator, name).chars();
      if (by.isEmpty()) {
        throw new JinjaException("split by an empty string, expected a separator");
      }
      if (fromRight) {
        splitFromRight(text, by, max, parts, budget);
      } else {
        split(text, by, max, parts, budget);
      }
    } else if (fromRight) {
      wordsFromRight(text, max, parts, budget);
    } else {
      words(text, max, parts, budget);
    }
    return Sequence.list(parts);
  }

  private static void split(Text text, String by, long max, List<Value> parts, Budget budget) {
    int from = 0;
    int at = text.chars().indexOf(by);
    while (parts.size() < max && at >= 0) {
      budget.parts(1);
      parts.add(text.slice(from, at));
      from = at + by.length();
      at = text.chars().indexOf(by, from);
    }
    parts.add(text.slice(from, text.length()));
  }

  private static void splitFromRight(
      Text text, String by, long max, List<Value> parts, Budget budget) {
    int to = text.length();
    int at = text.chars().lastIndexOf(by);
    while (parts.size() < max && at >= 0) {
      budget.parts(1);
      parts.add(text.slice(at + by.length(), to));
      to = at;
      at = text.chars().lastIndexOf(by, to - by.length());
    }
    parts.add(text.slice(0, to));
    Collections.reverse(parts);
  }

  private static void words(Text text, long max, List<Value> parts, Budget budget) {
    int at = end(text, 0, true);
    while (at < text.length()) {
      budget.parts(1);
      int end = parts.size() < max ? end(text, at, false) : text.length();
      parts.add(text.slice(at, end));
      at = end(text, end, true);
    }
  }

  private static void wordsFromRight(Text text, long max, List<Value> parts, Budget budget) {
    int at = begin(text, text.length(), true);
    while (at > 0) {
      budget.parts(1);
      int begin = parts.size() < max ? begin(text, at, false) : 0;
      parts.add(text.slice(begin, at));
      at = begin(text, begin, true);
    }
    Collections.reverse(parts);
  }

  /// Where white space that begins at `from` ends, or a word.
  private static int end(Text text, int from, boolean space) {
    int end = from;
    while (end < text.length() && PythonText.isSpace(text.chars().charAt(end)) == space) {
      end++;
    }
    return end;
  }

  private static int begin(Text text, int to, boolean space) {
    int begin = to;
    while (begin > 0 && PythonText.isSpace(text.chars().charAt(begin - 1)) == space) {
      begin--;
    }
    return begin;
  }

  static Value splitLines(Text text, Arguments arguments, Budget budget) {
    Map<String, Value> bound = arguments.bind("splitlines", "keepends");
    boolean withEnds = Operators.isTrue(bound.getOrDefault("keepends", Value.None.NONE));
    return Sequence.list(new ArrayList<>(lines(text, withEnds, budget)));
  }

  static List<Text> lines(Text text, boolean withEnds, Budget budget) {
    budget.characters(text.length());
    List<Text> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.chars().charAt(i);
      if (LINE_ENDS.indexOf(c) >= 0) {
        int end = i + 1;
        if (c == '\r' && end < text.length() && text.chars().charAt(end) == '\n') {
          end++;
        }
        budget.parts(1);
        lines.add(text.slice(from, withEnds ? end : i));
        from = end;
        i = end - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.slice(from, text.length()));
    }
    return lines;
  }

  /// `partition` and `rpartition`.
  static Value partition(Text text, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw new JinjaException("partition by an empty string, expected a separator");
    }
    int at = last ? text.chars().lastIndexOf(separator) : text.chars().indexOf(separator);
    if (at < 0) {
      return last
          ? Sequence.tuple(Text.EMPTY, Text.EMPTY, text)
          : Sequence.tuple(text, Text.EMPTY, Text.EMPTY);
    }
    int end = at + separator.length();
    return Sequence.tuple(text.slice(0, at), text.slice(at, end), text.slice(end, text.length()));
  }
}
