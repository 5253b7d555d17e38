package dev.quern.langchain4j;

import dev.quern.llama.constrain.Constraint;
import java.util.LinkedHashMap;
import java.util.Map;

/// The constraints of the schemas that were asked for last: one remembers what it has worked out
/// for a vocabulary, and applications ask for the same few again and again.
final class Constraints {
  private static final int MOST = 64;

  private final Constraint anyObject = Constraint.jsonObject();

  private final Map<String, Constraint> bySchema =
      new LinkedHashMap<>(16, 0.75f, true) { // guarded by this
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
          return size() > MOST;
        }
      };

  Constraint anyObject() {
    return anyObject;
  }

  /// @throws dev.quern.QuernException if the schema can't be kept to
  synchronized Constraint ofSchema(String schema) {
    Constraint known = bySchema.get(schema);
    if (known == null) {
      known = Constraint.jsonSchema(schema);
      bySchema.put(schema, known);
    }
    return known;
  }
}
