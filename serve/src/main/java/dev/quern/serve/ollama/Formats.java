package dev.quern.serve.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.constrain.Constraint;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.Json;
import dev.quern.serve.http.JsonFields;
import java.util.Optional;

/// What `format` holds a reply to.
record Formats(Schemas schemas) {
  /// `json`, or a schema.
  ///
  /// @throws HttpFailure 400 where it is neither, or the schema can't be kept to
  Optional<Constraint> read(JsonFields f) {
    Optional<JsonNode> format = f.any("format");
    if (format.isEmpty() || format.get().isTextual() && format.get().textValue().isEmpty()) {
      return Optional.empty();
    }
    if (format.get().isObject()) {
      return Optional.of(schemas.of(f.path("format"), Json.text(format.get())));
    }
    if (format.get().isTextual() && format.get().textValue().equals("json")) {
      return Optional.of(schemas.anyObject());
    }
    throw f.wrong("format", "json, or a JSON schema");
  }
}
