package dev.quern.spring.boot;

import dev.quern.ProviderEntry;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/// What is loaded, who runs it, and how busy its engine is. Out of service while the queue is full:
/// a request would be refused.
///
/// @since 0.1
/// @stability api
public final class QuernHealthIndicator extends AbstractHealthIndicator {
  private final String name;
  private final LlamaModel model;
  private final Engine engine;
  private final EngineOptions options;

  QuernHealthIndicator(String name, LlamaModel model, Engine engine, EngineOptions options) {
    super("quern: the engine can't be asked");
    this.name = name;
    this.model = model;
    this.engine = engine;
    this.options = options;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    EngineMetrics metrics = engine.metrics();
    if (metrics.waiting() >= Math.max(1, options.queue())) {
      builder.outOfService();
    } else {
      builder.up();
    }
    Map<String, String> providers = new LinkedHashMap<>();
    for (ProviderEntry provider : model.report().providers()) {
      providers.put(provider.name(), provider.verdict().text());
    }
    builder
        .withDetail("model", name)
        .withDetail("threads", model.threads())
        .withDetail("context", model.context())
        .withDetail("kernels", model.report().summary())
        .withDetail("providers", providers)
        .withDetail("running", metrics.running())
        .withDetail("parallel", options.sequences())
        .withDetail("waiting", metrics.waiting())
        .withDetail("queue", options.queue());
  }
}
