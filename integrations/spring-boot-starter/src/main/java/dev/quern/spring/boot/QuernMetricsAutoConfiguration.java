package dev.quern.spring.boot;

import dev.quern.llama.Engine;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/// The engine's metrics, where the application has Micrometer.
///
/// @since 0.1
/// @stability api
@AutoConfiguration(after = QuernAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
@ConditionalOnBean({Engine.class, QuernProperties.class})
public class QuernMetricsAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  QuernMetrics quernMetrics(QuernProperties properties, Engine engine) {
    return new QuernMetrics(properties.calledName(), engine);
  }
}
