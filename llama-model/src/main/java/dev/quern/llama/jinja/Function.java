package dev.quern.llama.jinja;

import java.util.function.BiFunction;

/// What is called and is no macro: a function of the environment, or a method of a value.
record Function(String name, BiFunction<Evaluator, Arguments, Value> body)
    implements Value.Callable {
  @Override
  public Value call(Evaluator evaluator, Arguments arguments) {
    return body.apply(evaluator, arguments);
  }
}
