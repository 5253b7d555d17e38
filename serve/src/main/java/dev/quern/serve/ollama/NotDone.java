package dev.quern.serve.ollama;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;

/// What changes models on disk: `pull`, `create` and others.
public final class NotDone implements Endpoint {
  @Override
  public void answer(Exchange exchange) {
    throw HttpFailure.of(
        501,
        "not_done",
        "this server changes no models on disk; start it with the files that it is to have (--model FILE)");
  }
}
