package dev.quern.serve.llamacpp;

import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.Models;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `POST /tokenize`: a text's tokens, as llama.cpp's server gives them. `add_special` puts those
/// that begin and end a text around it, `parse_special` (true, as there) takes the text of special
/// tokens for these, `with_pieces` tells each token's text.
public final class Tokenize implements Endpoint {
  private final Models models;

  public Tokenize(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    String content =
        f.string("content").orElseThrow(() -> f.missing("content", "the text, a string"));
    boolean around = f.flag("add_special", false);
    boolean special = f.flag("parse_special", true);
    boolean pieces = f.flag("with_pieces", false);
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      f.end();
      Tokenizer tokenizer = lease.model().model().tokenizer();
      int[] tokens =
          around ? tokenizer.encodePrompt(content, special) : tokenizer.encode(content, special);
      List<Object> list =
          Arrays.stream(tokens)
              .<Object>mapToObj(id -> pieces ? piece(tokenizer, id) : (Object) id)
              .toList();
      exchange.send(200, Map.of("tokens", list));
    }
  }

  private static Map<String, Object> piece(Tokenizer tokenizer, int id) {
    Map<String, Object> piece = new LinkedHashMap<>();
    piece.put("id", id);
    piece.put("piece", tokenizer.decode(new int[] {id}, true));
    return piece;
  }
}
