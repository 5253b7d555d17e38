package dev.quern.serve.llamacpp;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.model.Models;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// `GET /health`: 200 where requests are answered at once, 503 until the first model is loaded, and
/// while the server ends.
public final class Health implements Endpoint {
  private final Models models;
  private final BooleanSupplier stopping;

  public Health(Models models, BooleanSupplier stopping) {
    this.models = models;
    this.stopping = stopping;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    if (stopping.getAsBoolean()) {
      throw HttpFailure.of(503, "server_stopping", "the server is shutting down");
    }
    if (!models.isReady()) {
      throw HttpFailure.of(503, "model_loading", "the model is being loaded")
          .with("Retry-After", "1");
    }
    exchange.send(200, Map.of("status", "ok"));
  }
}
