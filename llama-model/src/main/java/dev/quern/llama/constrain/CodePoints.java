package dev.quern.llama.constrain;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// A set of Unicode characters: ranges in order that neither meet nor touch, without surrogates.
record CodePoints(List<Range> ranges) {
  static final CodePoints ALL = of(0, Character.MAX_CODE_POINT);
  static final CodePoints NONE = new CodePoints(List.of());
  static final CodePoints DIGITS = of('0', '9');
  static final CodePoints HEX = DIGITS.or(of('a', 'f')).or(of('A', 'F'));
  static final CodePoints WORD = DIGITS.or(of('a', 'z')).or(of('A', 'Z')).or(of('_'));

  /// @param last included
  record Range(int first, int last) {}

  CodePoints {
    ranges = normal(ranges);
  }

  static CodePoints of(int first, int last) {
    return new CodePoints(List.of(new Range(first, last)));
  }

  static CodePoints of(int one) {
    return of(one, one);
  }

  /// Those of a text.
  static CodePoints in(String text) {
    return new CodePoints(text.codePoints().mapToObj(c -> new Range(c, c)).toList());
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  boolean contains(int codePoint) {
    return ranges.stream().anyMatch(r -> r.first <= codePoint && codePoint <= r.last);
  }

  CodePoints or(CodePoints other) {
    List<Range> both = new ArrayList<>(ranges);
    both.addAll(other.ranges);
    return new CodePoints(both);
  }

  CodePoints not() {
    List<Range> rest = new ArrayList<>();
    int next = 0;
    for (Range r : ranges) {
      if (next < r.first) {
        rest.add(new Range(next, r.first - 1));
      }
      next = r.last + 1;
    }
    if (next <= Character.MAX_CODE_POINT) {
      rest.add(new Range(next, Character.MAX_CODE_POINT));
    }
    return new CodePoints(rest);
  }

  CodePoints without(CodePoints other) {
    return not().or(other).not();
  }

  private static List<Range> normal(List<Range> ranges) {
    List<Range> sorted = new ArrayList<>();
    for (Range r : ranges) { // UTF-8 has no surrogates
      addIfAny(sorted, r.first, Math.min(r.last, Character.MIN_SURROGATE - 1));
      addIfAny(sorted, Math.max(r.first, Character.MAX_SURROGATE + 1), r.last);
    }
    sorted.sort(Comparator.comparingInt(Range::first));
    List<Range> merged = new ArrayList<>();
    for (Range r : sorted) {
      Range last = merged.isEmpty() ? null : merged.getLast();
      if (last != null && r.first <= last.last + 1) {
        merged.set(merged.size() - 1, new Range(last.first, Math.max(last.last, r.last)));
      } else {
        merged.add(r);
      }
    }
    return List.copyOf(merged);
  }

  private static void addIfAny(List<Range> to, int first, int last) {
    if (first <= last) {
      to.add(new Range(first, last));
    }
  }
}
