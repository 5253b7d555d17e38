package dev.quern.llama.jinja;

import java.util.HashMap;
import java.util.Map;

/// Names and their values in a part of a template. What is set in it is seen in it and in those
/// inside, and is gone with it: in Jinja a loop's round, a macro's call and a block have one each,
/// `if` has none.
final class Scope {
  private final Scope around; // null for the outermost
  private final Map<String, Value> names = new HashMap<>();

  Scope(Scope around) {
    this.around = around;
  }

  void set(String name, Value value) {
    names.put(name, value);
  }

  Value get(String name) {
    for (Scope scope = this; scope != null; scope = scope.around) {
      Value value = scope.names.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Value.Undefined(name);
  }
}
