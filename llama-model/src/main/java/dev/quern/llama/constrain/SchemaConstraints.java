package dev.quern.llama.constrain;

import java.util.LinkedHashMap;
import java.util.Map;

/// The constraints of the JSON schemas that were asked for last. A constraint remembers what it has
/// worked out for a vocabulary, and applications ask for the same few schemas again and again. Any
/// thread may call it; none waits while another one's schema is compiled.
///
/// @since 0.1
/// @stability api
public final class SchemaConstraints {
  private static final int KEPT = 64;

  private final Constraint anyObject = Constraint.jsonObject();

  private final Map<String, Constraint> kept =
      new LinkedHashMap<>(16, 0.75f, true) { // guarded by itself
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
          return size() > KEPT;
        }
      };

  public SchemaConstraints() {}

  /// [Constraint#jsonSchema], or the one that was made of this text before.
  ///
  /// @throws dev.quern.llama.error.RequestException as there
  public Constraint of(String schema) {
    synchronized (kept) {
      Constraint known = kept.get(schema);
      if (known != null) {
        return known;
      }
    }
    Constraint made = Constraint.jsonSchema(schema);
    synchronized (kept) {
      kept.put(schema, made);
    }
    return made;
  }

  /// [Constraint#jsonObject], always the same one.
  public Constraint anyObject() {
    return anyObject;
  }
}
