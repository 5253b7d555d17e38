package dev.quern.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.llama.error.LlamaException;
import org.junit.jupiter.api.Test;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.context.annotation.Configuration;

/// What a user reads whose start was refused.
class QuernFailureAnalyzerTest {
  @Test
  void theMessageIsTheDescription() {
    RuntimeException refused =
        new IllegalStateException(
            "bean", new LlamaException("model.gguf: no such file, expected one"));
    FailureAnalysis analysis = new QuernFailureAnalyzer().analyze(refused);
    assertThat(analysis.getDescription()).isEqualTo("model.gguf: no such file, expected one");
    assertThat(analysis.getAction()).contains("quern.");
    assertThat(new QuernFailureAnalyzer().analyze(new IllegalStateException("other"))).isNull();
  }

  @Configuration(proxyBeanMethods = false)
  @ImportAutoConfiguration({ToolCallingAutoConfiguration.class, QuernAutoConfiguration.class})
  static class Application {}

  @Test
  void aStartThatFailsReportsIt() {
    assertThatThrownBy(() ->
            SpringApplication.run(
                Application.class,
                "--quern.model=demo",
                "--quern.provider=vector",
                "--spring.main.banner-mode=off"))
        .isNotNull();
    assertThat(RecordedFailures.last().getDescription())
        .contains("--add-modules jdk.incubator.vector")
        .doesNotContain("priority");
    assertThat(RecordedFailures.last().getAction()).contains("quern.provider");
  }
}
