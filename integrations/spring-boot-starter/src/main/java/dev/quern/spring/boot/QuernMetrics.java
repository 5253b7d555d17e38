package dev.quern.spring.boot;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToDoubleFunction;

/// What an engine counts ([EngineMetrics]) as meters, tagged with the model's name: gauges of now,
/// counters since its start.
///
/// @since 0.1
/// @stability api
public final class QuernMetrics implements MeterBinder {
  private final Engine engine;
  private final Tags model;

  QuernMetrics(String name, Engine engine) {
    this.engine = engine;
    model = Tags.of("model", name);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    gauge(registry, "waiting", "requests", "Requests in the queue", EngineMetrics::waiting);
    gauge(registry, "running", "requests", "Requests that run", EngineMetrics::running);
    gauge(registry, "kv", "bytes", "KV caches, as large as they are now", EngineMetrics::kvBytes);
    requests(registry, "ended", EngineMetrics::ended);
    requests(registry, "rejected", EngineMetrics::rejected);
    counter(registry, "steps", "steps", "Forward passes", Tags.empty(), EngineMetrics::steps);
    counter(registry, "rows", "tokens", "Rows of all steps", Tags.empty(), EngineMetrics::rows);
    tokens(registry, "prompt", EngineMetrics::promptTokens);
    tokens(registry, "cached", EngineMetrics::cachedTokens);
    tokens(registry, "generated", EngineMetrics::generatedTokens);
    tokens(registry, "guessed", EngineMetrics::guessedTokens);
    tokens(registry, "accepted", EngineMetrics::acceptedTokens);
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String unit,
      String description,
      ToDoubleFunction<EngineMetrics> value) {
    Gauge.builder("quern.engine." + name, engine, e -> value.applyAsDouble(e.metrics()))
        .baseUnit(unit)
        .description(description)
        .tags(model)
        .register(registry);
  }

  private void requests(
      MeterRegistry registry, String outcome, ToDoubleFunction<EngineMetrics> value) {
    counter(
        registry,
        "requests",
        "requests",
        "Requests that have ended, however they did, and those that found the queue full",
        Tags.of("outcome", outcome),
        value);
  }

  private void tokens(MeterRegistry registry, String kind, ToDoubleFunction<EngineMetrics> value) {
    counter(
        registry,
        "tokens",
        "tokens",
        "Tokens of prompts that were run, of prompts that a KV cache had, and those that were chosen; guessed ones, and of these the right ones",
        Tags.of("kind", kind),
        value);
  }

  private void counter(
      MeterRegistry registry,
      String name,
      String unit,
      String description,
      Tags tags,
      ToDoubleFunction<EngineMetrics> value) {
    FunctionCounter.builder("quern.engine." + name, engine, e -> value.applyAsDouble(e.metrics()))
        .baseUnit(unit)
        .description(description)
        .tags(model.and(tags))
        .register(registry);
  }
}
