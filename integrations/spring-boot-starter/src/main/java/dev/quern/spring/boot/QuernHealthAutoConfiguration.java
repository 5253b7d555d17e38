package dev.quern.spring.boot;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/// The engine's health, where the application has Spring Boot's health; off with
/// `management.health.quern.enabled=false`.
///
/// @since 0.1
/// @stability api
@AutoConfiguration(after = QuernAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean({LlamaModel.class, Engine.class, EngineOptions.class, QuernProperties.class})
@ConditionalOnEnabledHealthIndicator("quern")
public class QuernHealthAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  QuernHealthIndicator quernHealthIndicator(
      QuernProperties properties, LlamaModel model, Engine engine, EngineOptions options) {
    return new QuernHealthIndicator(properties.calledName(), model, engine, options);
  }
}
