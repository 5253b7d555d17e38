package dev.quern.serve.openai;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.Json;
import dev.quern.serve.http.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What `response_format` holds a reply to. Schemas that come again cost nothing again.
final class ResponseFormats {
  private static final int KEPT = 64;

  private final Map<String, Constraint> kept =
      new LinkedHashMap<>(16, 0.75f, true) { // guarded by itself
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
          return size() > KEPT;
        }
      };

  /// @throws HttpFailure 400 where the schema can't be kept to
  Optional<Constraint> read(JsonFields f) {
    Optional<JsonFields> format = f.object("response_format");
    if (format.isEmpty()) {
      return Optional.empty();
    }
    String type =
        format
            .get()
            .word("type", List.of("text", "json_object", "json_schema"))
            .orElseThrow(() -> format.get().missing("type", "text, json_object or json_schema"));
    Optional<Constraint> constraint =
        switch (type) {
          case "text" -> Optional.empty();
          case "json_object" -> Optional.of(Constraint.jsonObject());
          default -> Optional.of(schema(format.get()));
        };
    format.get().end();
    return constraint;
  }

  private Constraint schema(JsonFields format) {
    JsonFields given =
        format
            .object("json_schema")
            .orElseThrow(() -> format.missing("json_schema", "an object with a schema"));
    given.string("name");
    given.string("description");
    given.flag("strict", true); // a schema is kept to in any case
    String schema =
        given
            .any("schema")
            .map(Json::text)
            .orElseThrow(() -> given.missing("schema", "a JSON schema"));
    given.end();
    try {
      return of(schema);
    } catch (LlamaException e) {
      throw HttpFailure.invalid(given.path("schema"), given.path("schema") + ": " + e.getMessage())
          .because(e);
    }
  }

  private Constraint of(String schema) {
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
}
