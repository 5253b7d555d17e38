package dev.quern.serve.ollama;

import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// `GET /api/tags`; [#running], `GET /api/ps`; and [#show], `POST /api/show`. Files are read once.
public final class Tags implements Endpoint {
  private static final Duration FOR_GOOD = Duration.ofDays(36_500); // as Ollama writes it

  private final Models models;
  private final Map<ServedModel, ModelFacts> known = new ConcurrentHashMap<>();

  public Tags(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    List<Map<String, Object>> all = new ArrayList<>();
    for (ServedModel model : models.served()) {
      ModelFacts facts = facts(model);
      Map<String, Object> entry = entry(model, facts);
      entry.put("modified_at", facts.modified().toString());
      all.add(entry);
    }
    exchange.send(200, Map.of("models", all));
  }

  /// The endpoint of the models that are in memory.
  public void running(Exchange exchange) throws Exception {
    List<Map<String, Object>> all = new ArrayList<>();
    for (LoadedModel model : models.loaded()) {
      Map<String, Object> entry = entry(model.served(), facts(model.served()));
      Duration rest = models.restOf(model).orElse(FOR_GOOD);
      entry.put("expires_at", Instant.now().plus(rest).toString());
      entry.put("size_vram", 0);
      entry.put("context_length", model.model().context());
      all.add(entry);
    }
    exchange.send(200, Map.of("models", all));
  }

  private static Map<String, Object> entry(ServedModel model, ModelFacts facts) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("name", model.name());
    entry.put("model", model.name());
    entry.put("size", facts.size());
    entry.put("digest", facts.digest());
    entry.put("details", facts.details());
    return entry;
  }

  /// The endpoint of one of them.
  public void show(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    Optional<String> older = f.string("name");
    ServedModel model = Names.find(f.string("model").or(() -> older), models);
    f.only("verbose", "false", "the vocabulary is not listed; /tokenize answers with tokens");
    f.only("system", "\"\"", "a model has no system prompt of its own");
    f.only("template", "\"\"", "a model's template is its own");
    f.only("options", "{}", "a model has none of its own");
    f.end();
    ModelFacts facts = facts(model);
    String template = facts.template().orElse("");
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("modelfile", "FROM " + model.name() + "\n");
    shown.put("parameters", "");
    shown.put("template", template);
    shown.put("details", facts.details());
    shown.put("model_info", facts.info());
    shown.put("capabilities", capabilities(template));
    shown.put("modified_at", facts.modified().toString());
    exchange.send(200, shown);
  }

  /// By the template's text, as Ollama tells them: what a template does shows when it is run, which
  /// takes a vocabulary.
  private static List<String> capabilities(String template) {
    List<String> all = new ArrayList<>(List.of("completion"));
    if (template.contains("tools")) {
      all.add("tools");
    }
    if (Thinking.isNamedIn(template)) {
      all.add("thinking");
    }
    return all;
  }

  private ModelFacts facts(ServedModel model) throws IOException {
    ModelFacts facts = known.get(model);
    if (facts == null) {
      facts = ModelFacts.of(model);
      known.put(model, facts);
    }
    return facts;
  }
}
