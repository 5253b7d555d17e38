package dev.quern.serve.openai;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.quern.llama.Pooling;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.serve.answer.EmbeddingFields;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// `POST /v1/embeddings`: vectors of length 1. `pooling` (`mean` or `last`) is no field of
/// OpenAI's.
public final class Embeddings implements Endpoint {
  /// @param embedding floats, or a string
  private record Vector(String object, int index, Object embedding) {}

  private record Usage(
      @JsonProperty("prompt_tokens") int promptTokens,
      @JsonProperty("total_tokens") int totalTokens) {}

  private record Answer(String object, List<Vector> data, String model, Usage usage) {}

  private final Models models;

  public Embeddings(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    boolean base64 =
        f.word("encoding_format", List.of("float", "base64")).orElse("float").equals("base64");
    Pooling pooling =
        f.word("pooling", List.of("mean", "last")).orElse("mean").equals("last")
            ? Pooling.LAST
            : Pooling.MEAN;
    f.meansNothing("user");
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      LoadedModel model = lease.model();
      Tokenizer tokenizer = model.model().tokenizer();
      List<int[]> inputs =
          TextInputs.read(
              f,
              "input",
              EmbeddingFields.MOST_INPUTS,
              tokenizer.vocabularySize(),
              text -> tokenizer.encodePrompt(text, false));
      EmbeddingFields.requireWidth(f, model);
      f.end();
      List<float[]> vectors = model.embeddings().embed(inputs, pooling, models.patience(exchange));
      List<Vector> data = new ArrayList<>();
      for (float[] vector : vectors) {
        data.add(new Vector("embedding", data.size(), base64 ? base64(vector) : vector));
      }
      int tokens = inputs.stream().mapToInt(input -> input.length).sum();
      exchange.send(200, new Answer("list", data, model.name(), new Usage(tokens, tokens)));
    }
  }

  /// F32, little-endian, as OpenAI's clients read it.
  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float x : vector) {
      bytes.putFloat(x);
    }
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
