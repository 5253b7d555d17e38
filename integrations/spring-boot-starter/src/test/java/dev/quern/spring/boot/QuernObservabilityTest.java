package dev.quern.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.springai.QuernChatModel;
import dev.quern.springai.QuernChatOptions;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/// Health and metrics, which an application need not have.
class QuernObservabilityTest {
  private static final ApplicationContextRunner RUNNER =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  ToolCallingAutoConfiguration.class,
                  QuernAutoConfiguration.class,
                  QuernHealthAutoConfiguration.class,
                  QuernMetricsAutoConfiguration.class))
          .withPropertyValues(
              "quern.model=demo",
              "quern.provider=scalar",
              "quern.threads=1",
              "quern.parallel=1",
              "quern.queue=1",
              "spring.ai.model.embedding=none");

  @Test
  void healthSaysWhatRunsAndWhenItsQueueIsFull() {
    RUNNER.run(context -> {
      HealthIndicator indicator = context.getBean(QuernHealthIndicator.class);
      Health health = indicator.health();
      assertThat(health.getStatus()).isEqualTo(Status.UP);
      assertThat(health.getDetails())
          .containsEntry("model", "demo")
          .containsEntry("waiting", 0)
          .containsEntry("queue", 1)
          .containsEntry("parallel", 1);
      assertThat(health.getDetails().get("kernels").toString()).contains("linear: scalar");
      assertThat(health.getDetails().get("providers").toString()).contains("vector=unavailable");

      CountDownLatch done = new CountDownLatch(1);
      CountDownLatch held = new CountDownLatch(1);
      Engine engine = context.getBean(Engine.class);
      GenerationOptions holding =
          GenerationOptions.greedy(1)
              .withLogitsHook((_, _) -> {
                held.countDown();
                awaited(done);
              });
      engine.submit(EngineRequest.of(new int[] {1}, holding), _ -> {});
      held.await();
      engine.submit(EngineRequest.of(new int[] {1}, GenerationOptions.greedy(1)), _ -> {});
      Health full = indicator.health();
      done.countDown();
      assertThat(full.getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
      assertThat(full.getDetails()).containsEntry("running", 1).containsEntry("waiting", 1);
    });
  }

  private static void awaited(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void metersCountWhatTheEngineDoes() {
    RUNNER.run(context -> {
      MeterRegistry registry = new SimpleMeterRegistry();
      context.getBean(MeterBinder.class).bindTo(registry);
      context
          .getBean(QuernChatModel.class)
          .call(
              new Prompt(
                  "Once upon a time",
                  QuernChatOptions.builder().temperature(0.0).maxTokens(5).build()));
      assertThat(registry.get("quern.engine.waiting").tag("model", "demo").gauge().value())
          .isZero();
      assertThat(tokens(registry, "generated")).isEqualTo(5);
      assertThat(tokens(registry, "prompt")).isPositive();
      assertThat(
              registry
                  .get("quern.engine.requests")
                  .tag("outcome", "ended")
                  .functionCounter()
                  .count())
          .isEqualTo(1);
      assertThat(registry.get("quern.engine.kv").gauge().value()).isPositive();
      assertThat(registry.get("quern.engine.steps").functionCounter().count()).isPositive();
    });
  }

  private static double tokens(MeterRegistry registry, String kind) {
    return registry.get("quern.engine.tokens").tag("kind", kind).functionCounter().count();
  }

  @Test
  void neitherNeedsToBeThere() {
    RUNNER
        .withClassLoader(new FilteredClassLoader(HealthIndicator.class, MeterBinder.class))
        .run(context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean("quernHealthIndicator")
                .doesNotHaveBean("quernMetrics"));
    RUNNER
        .withPropertyValues("management.health.quern.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(QuernHealthIndicator.class));
  }
}
