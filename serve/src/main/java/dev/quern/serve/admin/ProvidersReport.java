package dev.quern.serve.admin;

import dev.quern.Choice;
import dev.quern.KernelReport;
import dev.quern.ProviderEntry;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.LinkedHashMap;
import java.util.Map;

/// `GET /quern/report`: which provider runs what of each model that is loaded, and why. With
/// `Accept: text/plain` as `quern explain` prints it.
public final class ProvidersReport implements Endpoint {
  private final Models models;

  public ProvidersReport(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    if (exchange.header("Accept").orElse("").contains("text/plain")) {
      StringBuilder text = new StringBuilder();
      for (LoadedModel model : models.loaded()) {
        text.append("model: ").append(model.name()).append('\n');
        text.append(model.model().report().text()).append('\n');
      }
      exchange.sendText("text/plain; charset=utf-8", text.toString());
      return;
    }
    exchange.send(
        200, Map.of("models", models.loaded().stream().map(ProvidersReport::report).toList()));
  }

  private static Map<String, Object> report(LoadedModel loaded) {
    KernelReport kernels = loaded.model().report();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("model", loaded.name());
    report.put("threads", loaded.model().threads());
    report.put("context", loaded.model().context());
    report.put("summary", kernels.summary());
    report.put("selection", kernels.selection());
    report.put("providers", kernels.providers().stream().map(ProvidersReport::provider).toList());
    report.put("choices", kernels.choices().stream().map(ProvidersReport::choice).toList());
    return report;
  }

  private static Map<String, Object> provider(ProviderEntry entry) {
    Map<String, Object> provider = new LinkedHashMap<>();
    provider.put("name", entry.name());
    provider.put("ready", entry.ready());
    provider.put("verdict", entry.verdict().text());
    return provider;
  }

  private static Map<String, Object> choice(Choice choice) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("operator", choice.operator().id());
    values.put("spec", choice.spec());
    values.put("uses", choice.uses());
    values.put("provider", choice.provider());
    Map<String, String> refusals = new LinkedHashMap<>();
    choice.refusals().forEach(r -> refusals.put(r.provider(), r.reason()));
    values.put("refusals", refusals);
    return values;
  }
}
