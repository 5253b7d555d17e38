package dev.quern.serve.openai;

import dev.quern.llama.constrain.Constraint;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.Json;
import dev.quern.serve.http.JsonFields;
import java.util.List;
import java.util.Optional;

/// What a request holds a reply to.
record ResponseFormats(Schemas schemas) {
  private static final List<String> TYPES = List.of("text", "json_object", "json_schema");

  /// `response_format`, whose schema is in a `json_schema`.
  ///
  /// @throws HttpFailure 400 where the schema can't be kept to
  Optional<Constraint> read(JsonFields f) {
    return read(f, "response_format", true);
  }

  /// `format`, whose schema is beside its type.
  ///
  /// @throws HttpFailure 400 where the schema can't be kept to
  Optional<Constraint> readFlat(JsonFields f) {
    return read(f, "format", false);
  }

  private Optional<Constraint> read(JsonFields f, String name, boolean nested) {
    Optional<JsonFields> given = f.object(name);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    JsonFields format = given.get();
    String type =
        format
            .word("type", TYPES)
            .orElseThrow(() -> format.missing("type", String.join(" or ", TYPES)));
    Optional<Constraint> constraint =
        switch (type) {
          case "text" -> Optional.empty();
          case "json_object" -> Optional.of(schemas.anyObject());
          default -> Optional.of(nested ? nested(format) : schema(format));
        };
    format.end();
    return constraint;
  }

  private Constraint nested(JsonFields format) {
    JsonFields given =
        format
            .object("json_schema")
            .orElseThrow(() -> format.missing("json_schema", "an object with a schema"));
    Constraint constraint = schema(given);
    given.end();
    return constraint;
  }

  private Constraint schema(JsonFields given) {
    given.string("name");
    given.string("description");
    given.flag("strict", true); // a schema is kept to in any case
    String schema =
        given
            .any("schema")
            .map(Json::text)
            .orElseThrow(() -> given.missing("schema", "a JSON schema"));
    return schemas.of(given.path("schema"), schema);
  }
}
