package dev.quern.serve.answer;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.error.LlamaException;
import dev.quern.serve.http.HttpFailure;

/// JSON schemas that replies are held to. One that comes again costs nothing again.
public final class Schemas {
  private final SchemaConstraints kept = new SchemaConstraints();

  /// @param path the field that it is from
  /// @throws HttpFailure 400 where it can't be kept to
  public Constraint of(String path, String schema) {
    try {
      return kept.of(schema);
    } catch (LlamaException e) {
      throw HttpFailure.invalid(path, path + ": " + e.getMessage()).because(e);
    }
  }

  /// Any JSON object.
  public Constraint anyObject() {
    return kept.anyObject();
  }
}
