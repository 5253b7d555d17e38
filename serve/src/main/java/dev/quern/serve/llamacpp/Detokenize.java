package dev.quern.serve.llamacpp;

import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.Models;
import java.util.Map;

/// `POST /detokenize`: the text of tokens.
public final class Detokenize implements Endpoint {
  private final Models models;

  public Detokenize(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    if (!f.has("tokens")) {
      throw f.missing("tokens", "an array of token ids");
    }
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      Tokenizer tokenizer = lease.model().model().tokenizer();
      int[] tokens = f.tokens("tokens", tokenizer.vocabularySize());
      f.end();
      exchange.send(200, Map.of("content", tokenizer.decode(tokens, true)));
    }
  }
}
