package dev.quern.llama.jinja;

import dev.quern.llama.text.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What lies in a value: `a.b`, `a[b]` and `a[b:c:d]`.
final class Members {
  private Members() {}

  /// A method before an entry of the same name, as the sandbox has it.
  static Value attribute(Value of, String name) {
    Optional<Value> method = ofName(of, name);
    return method.orElseGet(() -> entry(of, Text.own(name)).orElseGet(() -> absent(of, name)));
  }

  /// An entry before a method of the same name.
  static Value item(Value of, Value index) {
    Optional<Value> entry = entry(of, index);
    if (entry.isEmpty() && index instanceof Text name) {
      entry = ofName(of, name.chars());
    }
    return entry.orElseGet(
        () -> absent(of, index instanceof Text name ? name.chars() : Operators.kind(index)));
  }

  private static Value absent(Value of, String name) {
    return new Value.Undefined(Printable.quoted(name, 40) + " in " + Operators.kind(of));
  }

  /// Methods and the like.
  private static Optional<Value> ofName(Value of, String name) {
    return switch (of) {
      case Value.Undefined _ ->
          throw Operators.unfit(Printable.quoted(name, 40), of, "a value that there is");
      case Value.Namespace namespace -> Optional.ofNullable(namespace.names().get(name));
      case Loop loop -> Optional.of(loop.get(name));
      default -> Methods.find(of, name);
    };
  }

  private static Optional<Value> entry(Value of, Value index) {
    return switch (of) {
      case Value.Dict dict ->
          index instanceof Value.Dict || index instanceof Value.Sequence
              ? Optional.empty()
              : Optional.ofNullable(dict.entries().get(index));
      case Value.Sequence sequence
          when sequence.kind().isIndexed() && Operators.isInteger(index) -> {
        List<Value> elements = sequence.elements();
        long at = place(Operators.integer(index), elements.size());
        yield at < 0 || at >= elements.size()
            ? Optional.empty()
            : Optional.of(elements.get((int) at));
      }
      case Text text when Operators.isInteger(index) -> {
        int length = CodePoints.count(text);
        long at = place(Operators.integer(index), length);
        yield at < 0 || at >= length
            ? Optional.empty()
            : Optional.of(CodePoints.at(text, (int) at));
      }
      case Value.Undefined _ -> throw Operators.unfit("an element", of, "a value that there is");
      default -> Optional.empty();
    };
  }

  private static long place(long index, int length) {
    return index < 0 ? index + length : index;
  }

  /// As Python slices: negative bounds count from the end, and none is too large.
  static Value slice(
      Value of, Optional<Long> from, Optional<Long> to, Optional<Long> step, Budget budget) {
    long stride = Math.clamp(step.orElse(1L), -Integer.MAX_VALUE, Integer.MAX_VALUE);
    if (stride == 0) {
      throw new JinjaException("a slice of step 0, expected another");
    }
    if (!(of instanceof Text || of instanceof Value.Sequence s && s.kind().isIndexed())) {
      throw Operators.unfit("a slice", of, "a string or a list");
    }
    int length = Operators.length(of);
    int low = stride < 0 ? -1 : 0;
    int high = stride < 0 ? length - 1 : length;
    long begin =
        from.map(at -> bounded(at, length, low, high)).orElse((long) (stride < 0 ? high : low));
    long end =
        to.map(at -> bounded(at, length, low, high)).orElse((long) (stride < 0 ? low : high));
    if (of instanceof Text text) {
      budget.steps(length / 16);
      return stride == 1
          ? CodePoints.slice(text, (int) begin, (int) Math.max(begin, end))
          : joined(strided(CodePoints.all(text, budget), begin, end, stride), budget);
    }
    Value.Sequence sequence = (Value.Sequence) of;
    List<Value> elements = strided(sequence.elements(), begin, end, stride);
    budget.steps(elements.size());
    return new Value.Sequence(sequence.kind(), elements);
  }

  private static long bounded(long at, int length, int low, int high) {
    return Math.clamp(place(at, length), low, high);
  }

  private static List<Value> strided(List<Value> elements, long begin, long end, long stride) {
    List<Value> taken = new ArrayList<>();
    for (long i = begin; stride > 0 ? i < end : i > end; i += stride) {
      taken.add(elements.get((int) i));
    }
    return taken;
  }

  private static Text joined(List<Value> texts, Budget budget) {
    TextBuilder out = new TextBuilder(budget);
    texts.forEach(text -> out.append((Text) text));
    return out.text();
  }
}
