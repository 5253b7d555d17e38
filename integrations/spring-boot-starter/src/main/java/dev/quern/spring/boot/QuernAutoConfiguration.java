package dev.quern.spring.boot;

import dev.quern.data.KvFormat;
import dev.quern.llama.Embedder;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.tokenizer.ChatFormat;
import dev.quern.springai.QuernChatModel;
import dev.quern.springai.QuernEmbeddingModel;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Path;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.ai.model.tool.ToolCallingManager;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.io.ResourceLoader;

/// One model that is loaded once, its engine, and Spring AI's chat and embedding models on it.
/// Whichever of these beans an application has itself, it is used in place of the one here;
/// `spring.ai.model.chat` and `spring.ai.model.embedding` choose among several starters, as with
/// Spring AI's own. What a context opens it closes, the model last.
///
/// @since 0.1
/// @stability api
@AutoConfiguration(after = ToolCallingAutoConfiguration.class)
@Conditional(QuernAutoConfiguration.Wanted.class)
@EnableConfigurationProperties({QuernProperties.class, QuernChatProperties.class})
public class QuernAutoConfiguration {
  private static final String QUERN = "quern";
  private static final String DEMO = "demo";

  /// How the model is loaded, for those who want to change what there is no property for.
  @Bean
  @ConditionalOnMissingBean
  LoadOptions quernLoadOptions(
      QuernProperties properties, ConfigurableEnvironment environment, ResourceLoader resources) {
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(new KernelProperties(environment).options(resources.getClassLoader()))
            .withKv(properties.kv() == QuernProperties.Kv.F32 ? KvFormat.F32 : KvFormat.F16);
    if (properties.threads() != null) {
      options = options.withThreads(properties.threads());
    }
    if (properties.context() != null) {
      options = options.withContext(properties.context());
    }
    ChatFormat frame = properties.chatTemplate();
    return frame == null ? options : options.withChatFormat(frame);
  }

  @Bean
  @ConditionalOnMissingBean
  LlamaModel quernModel(
      QuernProperties properties, LoadOptions options, ConfigurableEnvironment environment)
      throws IOException {
    String model = properties.model();
    if (model == null || model.isBlank()) {
      throw new InvalidConfigurationPropertyValueException(
          "quern.model",
          model,
          "no model to load, expected the path of a GGUF file or of a model's folder, or demo (with dev.quern:quern-demo-model)");
    }
    LlamaModel loaded =
        model.equals(DEMO)
            ? LlamaModel.loadDemo(options)
            : LlamaModel.load(Path.of(model), options);
    try {
      new KernelProperties(environment).requireKnown(loaded.report());
    } catch (RuntimeException e) { // rethrown: nobody else has the model to close it
      loaded.close();
      throw e;
    }
    return loaded;
  }

  /// Prompts that run at once, and conversations.
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnProperty(
      name = SpringAIModelProperties.CHAT_MODEL,
      havingValue = QUERN,
      matchIfMissing = true)
  static class Chat {
    @Bean
    @ConditionalOnMissingBean
    EngineOptions quernEngineOptions(QuernProperties properties) {
      return EngineOptions.defaults()
          .withSequences(properties.parallel())
          .withQueue(properties.queue())
          .withPrefixes(properties.prefixes())
          .withLookup(properties.lookup());
    }

    @Bean
    @ConditionalOnMissingBean
    Engine quernEngine(LlamaModel model, EngineOptions options) {
      return model.newEngine(options);
    }

    @Bean
    @ConditionalOnMissingBean
    ChatEngine quernChatEngine(LlamaModel model, Engine engine) {
      return new ChatEngine(model, engine);
    }

    @Bean
    @ConditionalOnMissingBean
    QuernChatModel quernChatModel(
        LlamaModel model,
        ChatEngine engine,
        QuernProperties properties,
        QuernChatProperties defaults,
        ToolCallingManager tools,
        ObjectProvider<ObservationRegistry> observations,
        ObjectProvider<ChatModelObservationConvention> convention) {
      QuernChatModel chat =
          QuernChatModel.builder(model, engine)
              .name(properties.calledName())
              .options(defaults.options())
              .toolCallingManager(tools)
              .observationRegistry(observations.getIfUnique(() -> ObservationRegistry.NOOP))
              .build();
      convention.ifAvailable(chat::setObservationConvention);
      return chat;
    }
  }

  /// Vectors of texts.
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnProperty(
      name = SpringAIModelProperties.EMBEDDING_MODEL,
      havingValue = QUERN,
      matchIfMissing = true)
  static class Embeddings {
    @Bean
    @ConditionalOnMissingBean
    Embedder quernEmbedder(LlamaModel model) {
      return model.newEmbedder();
    }

    @Bean
    @ConditionalOnMissingBean
    QuernEmbeddingModel quernEmbeddingModel(
        LlamaModel model,
        Embedder embedder,
        QuernProperties properties,
        ObjectProvider<ObservationRegistry> observations,
        ObjectProvider<EmbeddingModelObservationConvention> convention) {
      QuernEmbeddingModel embeddings =
          new QuernEmbeddingModel(
              model,
              embedder,
              properties.calledName(),
              properties.embedding().pooling(),
              observations.getIfUnique(() -> ObservationRegistry.NOOP));
      convention.ifAvailable(embeddings::setObservationConvention);
      return embeddings;
    }
  }

  /// Whether Spring AI's models are to be these, or one of them is.
  static class Wanted extends AnyNestedCondition {
    Wanted() {
      super(ConfigurationPhase.PARSE_CONFIGURATION);
    }

    @ConditionalOnProperty(
        name = SpringAIModelProperties.CHAT_MODEL,
        havingValue = QUERN,
        matchIfMissing = true)
    static class ForChat {}

    @ConditionalOnProperty(
        name = SpringAIModelProperties.EMBEDDING_MODEL,
        havingValue = QUERN,
        matchIfMissing = true)
    static class ForEmbeddings {}
  }
}
