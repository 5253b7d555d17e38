package dev.quern.serve.answer;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.serve.http.HttpFailure;
import java.util.LinkedHashMap;
import java.util.Map;

/// JSON schemas that replies are held to. One that comes again costs nothing again.
public final class Schemas {
  private static final int KEPT = 64;

  private final Map<String, Constraint> kept =
      new LinkedHashMap<>(16, 0.75f, true) { // guarded by itself
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
          return size() > KEPT;
        }
      };

  /// @param path the field that it is from
  /// @throws HttpFailure 400 where it can't be kept to
  public Constraint of(String path, String schema) {
    synchronized (kept) {
      Constraint known = kept.get(schema);
      if (known != null) {
        return known;
      }
    }
    Constraint made;
    try {
      made = Constraint.jsonSchema(schema);
    } catch (LlamaException e) {
      throw HttpFailure.invalid(path, path + ": " + e.getMessage()).because(e);
    }
    synchronized (kept) {
      kept.put(schema, made);
    }
    return made;
  }
}
