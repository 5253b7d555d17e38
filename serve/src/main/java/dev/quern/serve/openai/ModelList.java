package dev.quern.serve.openai;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.model.Models;
import dev.quern.serve.options.ServedModel;
import java.util.Optional;

/// `GET /v1/models` and `GET /v1/models/{id}`.
public final class ModelList implements Endpoint {
  private final Models models;
  private final long started = System.currentTimeMillis() / 1000;

  public ModelList(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    exchange.send(
        200, new Wire.ModelList("list", models.served().stream().map(this::entry).toList()));
  }

  /// The endpoint of one of them.
  public void one(Exchange exchange) throws Exception {
    exchange.send(200, entry(models.find(Optional.of(exchange.rest()))));
  }

  private Wire.Model entry(ServedModel model) {
    return new Wire.Model(model.name(), "model", started, "quern");
  }
}
