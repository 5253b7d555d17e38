package dev.quern.serve;

import dev.quern.serve.options.HttpOptions;
import dev.quern.serve.options.ModelsOptions;
import java.util.Objects;

/// What a server has, and where it listens.
///
/// @since 0.1
/// @stability api
public record ServerOptions(HttpOptions http, ModelsOptions models) {
  public ServerOptions {
    Objects.requireNonNull(http, "http");
    Objects.requireNonNull(models, "models");
  }
}
