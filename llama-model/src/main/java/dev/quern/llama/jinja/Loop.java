package dev.quern.llama.jinja;

import java.util.List;

/// What a template sees of the loop that it is in, as `loop`.
final class Loop implements Value {
  private static final Undefined NO_ITEM =
      new Undefined("the item before the first or behind the last");

  private final List<Value> elements;
  private int index; // from 0
  private List<Value> changed = List.of();

  Loop(List<Value> elements) {
    this.elements = elements;
  }

  void moveTo(int element) {
    index = element;
  }

  int length() {
    return elements.size();
  }

  /// The attribute of a name.
  Value get(String name) {
    return switch (name) {
      case "index" -> new Int(index + 1L);
      case "index0" -> new Int(index);
      case "revindex" -> new Int((long) length() - index);
      case "revindex0" -> new Int(length() - index - 1L);
      case "first" -> new Bool(index == 0);
      case "last" -> new Bool(index == length() - 1);
      case "length" -> new Int(length());
      case "depth" -> new Int(1); // of loops that call themselves, which there are none of
      case "depth0" -> new Int(0);
      case "previtem" -> index == 0 ? NO_ITEM : elements.get(index - 1);
      case "nextitem" -> index == length() - 1 ? NO_ITEM : elements.get(index + 1);
      case "cycle" -> new Function("loop.cycle", (_, arguments) -> cycle(arguments));
      case "changed" -> new Function("loop.changed", this::changed);
      default -> new Undefined("loop." + name);
    };
  }

  private Value cycle(Arguments arguments) {
    List<Value> values = arguments.positional();
    if (values.isEmpty() || !arguments.named().isEmpty()) {
      throw new JinjaException("loop.cycle without values, expected some");
    }
    return values.get(index % values.size());
  }

  private Value changed(Evaluator evaluator, Arguments arguments) {
    Sequence now = Sequence.list(arguments.positional());
    boolean same = Operators.equal(Sequence.list(changed), now, evaluator.budget());
    boolean isChanged = index == 0 && changed.isEmpty() || !same;
    changed = now.elements();
    return new Bool(isChanged);
  }
}
