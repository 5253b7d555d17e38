package dev.quern.serve.ollama;

import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.Models;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/// The model that a request names, and how long it stays in memory behind the request.
///
/// @param name as the request has it, or the server where it has none
/// @param rest how long it stays when nobody uses it; empty: until another needs its memory
record ModelUse(Models models, ServedModel served, String name, Optional<Duration> rest) {
  static ModelUse read(JsonFields f, Models models) {
    ServedModel served = Names.model(f, models);
    return new ModelUse(models, served, f.string("model").orElse(served.name()), KeepAlive.read(f));
  }

  /// A model that is in use, and how long it took to load it.
  record Open(Models.Lease lease, Duration loading) implements AutoCloseable {
    @Override
    public void close() {
      lease.close();
    }
  }

  Open open(Exchange exchange) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Models.Lease lease = models.lease(exchange, served);
    lease.keep(rest);
    return new Open(lease, Duration.ofNanos(System.nanoTime() - start));
  }

  /// Answers a request without a text: the model is loaded, or leaves memory where it is not to be
  /// kept.
  void loadOrUnload(Exchange exchange, boolean conversation) throws Exception {
    boolean unload = rest.isPresent() && rest.get().isZero();
    Duration loading = Duration.ZERO;
    if (!unload || models.isLoaded(served)) {
      try (Open open = open(exchange)) {
        loading = open.loading();
      }
    }
    new Reply(exchange, name, conversation, loading).loaded(unload ? "unload" : "load");
  }
}
