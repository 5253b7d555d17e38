package dev.quern.serve.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.Pooling;
import dev.quern.serve.answer.EmbeddingFields;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `POST /api/embed`, and [#older] the `/api/embeddings` before it: vectors of length 1, each the
/// mean of what the model has behind a text's tokens.
public final class Embed implements Endpoint {
  private static final String EXPECTED = "a string, or an array of strings";

  private final Models models;

  public Embed(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    ModelUse use = ModelUse.read(f, models);
    List<String> inputs = inputs(f);
    boolean cut = f.flag("truncate", true);
    try (ModelUse.Open open = use.open(exchange)) {
      LoadedModel model = open.lease().model();
      OptionFields.read(f, model.model());
      EmbeddingFields.requireWidth(f, model);
      f.end();
      List<int[]> texts = inputs.stream().map(text -> tokens(text, model.model(), cut)).toList();
      List<float[]> vectors = embed(model, texts, exchange);
      exchange.send(200, answer(use.name(), vectors, texts, exchange.age(), open.loading()));
    }
  }

  private static Map<String, Object> answer(
      String model, List<float[]> vectors, List<int[]> texts, Duration total, Duration loading) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("model", model);
    answer.put("embeddings", vectors);
    answer.put("total_duration", total.toNanos());
    answer.put("load_duration", loading.toNanos());
    answer.put("prompt_eval_count", texts.stream().mapToInt(text -> text.length).sum());
    return answer;
  }

  /// The endpoint of a single text.
  public void older(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    ModelUse use = ModelUse.read(f, models);
    String prompt = f.string("prompt").orElseThrow(() -> f.missing("prompt", "a string"));
    try (ModelUse.Open open = use.open(exchange)) {
      LoadedModel model = open.lease().model();
      OptionFields.read(f, model.model());
      f.end();
      List<int[]> texts = List.of(tokens(prompt, model.model(), true));
      exchange.send(200, Map.of("embedding", embed(model, texts, exchange).getFirst()));
    }
  }

  private List<float[]> embed(LoadedModel model, List<int[]> texts, Exchange exchange)
      throws InterruptedException {
    return model.embeddings().embed(texts, Pooling.MEAN, models.patience(exchange));
  }

  private static List<String> inputs(JsonFields f) {
    JsonNode input = f.any("input").orElseThrow(() -> f.missing("input", EXPECTED));
    if (input.isTextual()) {
      return List.of(input.textValue());
    }
    if (!input.isArray()) {
      throw f.wrong("input", EXPECTED);
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode one : f.array("input")) {
      if (!one.isTextual()) {
        throw f.wrong("input", EXPECTED);
      }
      texts.add(one.textValue());
    }
    if (texts.size() > EmbeddingFields.MOST_INPUTS) {
      throw f.wrong(
          "input", String.format(Locale.ROOT, "at most %d texts", EmbeddingFields.MOST_INPUTS));
    }
    return texts;
  }

  /// @param cut whether a text that is too long for the context loses its end
  private static int[] tokens(String text, LlamaModel model, boolean cut) {
    int[] tokens = model.tokenizer().encodePrompt(text, false);
    return cut && tokens.length > model.context() ? Arrays.copyOf(tokens, model.context()) : tokens;
  }
}
