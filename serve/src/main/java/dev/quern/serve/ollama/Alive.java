package dev.quern.serve.ollama;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;

/// `HEAD /`, by which Ollama's own client asks whether somebody is there.
public final class Alive implements Endpoint {
  @Override
  public void answer(Exchange exchange) throws Exception {
    exchange.sendText("text/plain; charset=utf-8", "");
  }
}
