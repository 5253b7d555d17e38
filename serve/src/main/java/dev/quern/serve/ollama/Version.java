package dev.quern.serve.ollama;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import java.util.Map;

/// `GET /api/version`. Clients ask an Ollama's version for what it can do, so it is that of the
/// Ollama whose protocol this is.
public final class Version implements Endpoint {
  /// The first that has all that is done here: tools in streams (0.8), and `think` (0.9).
  private static final String PROTOCOL = "0.9.0";

  @Override
  public void answer(Exchange exchange) throws Exception {
    exchange.send(200, Map.of("version", PROTOCOL));
  }
}
