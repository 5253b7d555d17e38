package dev.quern.serve.admin;

import dev.quern.llama.EngineMetrics;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.RequestMeter;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import dev.quern.serve.options.ServedModel;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.function.ToDoubleFunction;

/// `GET /metrics`: requests by route and status, and what each model's engine has done, for
/// Prometheus. A model that made room for others counts from 0 when it is loaded again.
public final class ServerMetrics implements Endpoint, RequestMeter {
  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

  private final Models models;
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  public ServerMetrics(Models models) {
    this.models = models;
    Gauge.builder("quern.models.loaded", models, m -> m.loaded().size())
        .description("models in memory")
        .register(registry);
    for (ServedModel model : models.served()) {
      gauge(model, "quern.requests.waiting", "requests in the queue", EngineMetrics::waiting);
      gauge(model, "quern.requests.running", "requests that have a place", EngineMetrics::running);
      gauge(model, "quern.kv", "bytes of all KV caches", EngineMetrics::kvBytes);
      count(model, "quern.requests.ended", "requests that have ended", EngineMetrics::ended);
      count(model, "quern.requests.rejected", "found the queue full", EngineMetrics::rejected);
      count(model, "quern.steps", "forward passes", EngineMetrics::steps);
      count(model, "quern.rows", "rows of all forward passes", EngineMetrics::rows);
      count(model, "quern.tokens.prompt", "of prompts, run", EngineMetrics::promptTokens);
      count(model, "quern.tokens.cached", "of prompts, not run", EngineMetrics::cachedTokens);
      count(model, "quern.tokens.generated", "chosen", EngineMetrics::generatedTokens);
      count(model, "quern.tokens.guessed", "guessed", EngineMetrics::guessedTokens);
      count(model, "quern.tokens.accepted", "guessed rightly", EngineMetrics::acceptedTokens);
    }
  }

  private void gauge(
      ServedModel model, String name, String about, ToDoubleFunction<EngineMetrics> value) {
    Gauge.builder(name, models, m -> value(m, model, value))
        .description(about)
        .tag("model", model.name())
        .register(registry);
  }

  private void count(
      ServedModel model, String name, String about, ToDoubleFunction<EngineMetrics> value) {
    FunctionCounter.builder(name, models, m -> value(m, model, value))
        .description(about)
        .tag("model", model.name())
        .register(registry);
  }

  private static double value(
      Models models, ServedModel model, ToDoubleFunction<EngineMetrics> value) {
    return models.loaded().stream()
        .filter(loaded -> loaded.served().equals(model))
        .map(LoadedModel::engine)
        .mapToDouble(engine -> value.applyAsDouble(engine.metrics()))
        .sum();
  }

  @Override
  public void answered(String route, int status, Duration took) {
    Timer.builder("quern.http.requests")
        .description("answered requests, and how long they took")
        .tag("route", route)
        .tag("status", Integer.toString(status))
        .register(registry)
        .record(took);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    exchange.sendText(TEXT, registry.scrape());
  }
}
