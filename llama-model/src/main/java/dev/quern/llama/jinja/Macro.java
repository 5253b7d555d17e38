package dev.quern.llama.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `{% macro %}`, or the body of `{% call %}`: it sees what is around its definition.
record Macro(String name, Stmt.Signature signature, List<Stmt> body, Scope around)
    implements Value.Callable {
  @Override
  public Value call(Evaluator evaluator, Arguments arguments) {
    List<String> parameters = signature.parameters();
    Scope scope = new Scope(around);
    Map<String, Value> named = new LinkedHashMap<>(arguments.named());
    Value caller = named.remove("caller");
    if (caller != null) {
      scope.set("caller", caller);
    }
    List<Value> rest = new ArrayList<>(arguments.positional());
    int withoutDefault = parameters.size() - signature.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Value value = named.remove(parameter);
      if (!rest.isEmpty()) {
        if (value != null) {
          throw new JinjaException(
              String.format(
                  Locale.ROOT, "%s with %s twice, expected each argument once", name, parameter));
        }
        value = rest.removeFirst();
      }
      if (value == null) {
        value =
            i < withoutDefault
                ? new Value.Undefined("the parameter " + parameter)
                : evaluator.value(signature.defaults().get(i - withoutDefault), scope);
      }
      scope.set(parameter, value);
    }
    if (!rest.isEmpty() || !named.isEmpty()) {
      throw new JinjaException(
          String.format(
              Locale.ROOT,
              "%s with %d arguments, expected those of %s",
              name,
              arguments.positional().size() + arguments.named().size(),
              parameters));
    }
    return evaluator.text(body, scope);
  }
}
