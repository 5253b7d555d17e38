package dev.quern.serve.ollama;

import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.Models;
import dev.quern.serve.options.ServedModel;
import java.util.Optional;

/// Names of models, which in Ollama's protocol may have a tag.
final class Names {
  private static final String LATEST = ":latest"; // what clients add to a name without a tag

  private Names() {}

  /// The model that `model` names.
  static ServedModel model(JsonFields f, Models models) {
    return find(f.string("model"), models);
  }

  /// The model of a name, with or without the tag `latest`.
  static ServedModel find(Optional<String> name, Models models) {
    boolean known =
        name.isEmpty() || models.served().stream().anyMatch(m -> m.name().equals(name.get()));
    return models.find(known ? name : name.map(n -> n.endsWith(LATEST) ? cut(n) : n));
  }

  private static String cut(String name) {
    return name.substring(0, name.length() - LATEST.length());
  }
}
