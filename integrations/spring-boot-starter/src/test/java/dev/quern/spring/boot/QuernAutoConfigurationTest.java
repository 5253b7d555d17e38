package dev.quern.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.KernelReport;
import dev.quern.Operator;
import dev.quern.SelectionException;
import dev.quern.llama.Embedder;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.Pooling;
import dev.quern.llama.tokenizer.ChatFormat;
import dev.quern.springai.QuernChatModel;
import dev.quern.springai.QuernChatOptions;
import dev.quern.springai.QuernEmbeddingModel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// What Spring Boot makes of the properties, without a web server.
class QuernAutoConfigurationTest {
  /// Of the JVM that runs this: neither properties nor variables of Quern's are set but those here.
  private static final ApplicationContextRunner RUNNER =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  ToolCallingAutoConfiguration.class,
                  ChatClientAutoConfiguration.class,
                  QuernAutoConfiguration.class));

  private static ApplicationContextRunner with(String... properties) {
    return RUNNER
        .withPropertyValues(
            "quern.model=demo", "quern.provider=scalar", "quern.threads=1", "quern.prefixes=1")
        .withPropertyValues(properties);
  }

  @Test
  void aModelAnswersWithOnePropertyAndEndsWithTheContext() {
    AtomicReference<LlamaModel> model = new AtomicReference<>();
    with("quern.chat.max-tokens=5", "quern.chat.temperature=0")
        .run(context -> {
          assertThat(context).hasNotFailed();
          assertThat(context).hasSingleBean(ChatModel.class).hasSingleBean(EmbeddingModel.class);
          model.set(context.getBean(LlamaModel.class));
          ChatClient client = context.getBean(ChatClient.Builder.class).build();
          var response = client.prompt("Once upon a time").call().chatResponse();
          assertThat(response.getMetadata().getUsage().getCompletionTokens()).isEqualTo(5);
          assertThat(response.getMetadata().getModel()).isEqualTo("demo");
          assertThat(context.getBean(EmbeddingModel.class).embed("Once"))
              .hasSize(model.get().config().width());
        });
    assertThat(model.get()).isNotNull();
    assertThatThrownBy(() -> model.get().newSession()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void everyPropertyReachesWhatItIsAbout() {
    with(
            "quern.name=little",
            "quern.context=64",
            "quern.kv=f32",
            "quern.parallel=3",
            "quern.queue=7",
            "quern.lookup=4",
            "quern.embedding.pooling=last",
            "quern.chat.top-k=11",
            "quern.chat.top-p=0.5",
            "quern.chat.min-p=0.25",
            "quern.chat.typical-p=0.75",
            "quern.chat.repeat-penalty=1.5",
            "quern.chat.repeat-last-n=9",
            "quern.chat.frequency-penalty=0.5",
            "quern.chat.presence-penalty=0.25",
            "quern.chat.seed=99",
            "quern.chat.stop-sequences=a,b",
            "quern.chat.template-variables.enable_thinking=false",
            "quern.chat.timeout=3s")
        .run(context -> {
          assertThat(context).hasNotFailed();
          LlamaModel model = context.getBean(LlamaModel.class);
          assertThat(model.context()).isEqualTo(64);
          assertThat(model.kvFormat()).hasToString("F32");
          assertThat(model.threads()).isEqualTo(1);
          var engine = context.getBean(EngineOptions.class);
          assertThat(engine)
              .isEqualTo(
                  EngineOptions.defaults()
                      .withSequences(3)
                      .withQueue(7)
                      .withPrefixes(1)
                      .withLookup(4));
          var options = context.getBean(QuernChatModel.class).getOptions();
          assertThat(options)
              .isEqualTo(
                  QuernChatOptions.builder()
                      .model("little")
                      .topK(11)
                      .topP(0.5)
                      .minP(0.25)
                      .typicalP(0.75)
                      .repeatPenalty(1.5)
                      .repeatLastN(9)
                      .frequencyPenalty(0.5)
                      .presencePenalty(0.25)
                      .seed(99L)
                      .stopSequences(List.of("a", "b"))
                      .templateVariables(Map.of("enable_thinking", false))
                      .timeout(Duration.ofSeconds(3))
                      .build());
          assertThat(context.getBean(EmbeddingModel.class).embed("Once upon a time"))
              .isEqualTo(context.getBean(Embedder.class).embed("Once upon a time", Pooling.LAST));
        });
  }

  @Test
  void springsOrderDecidesWhoRunsIt() {
    with().run(context -> report(context.getBean(LlamaModel.class)).assertNoFallback("scalar"));
    with()
        .withSystemProperties("quern.provider=x86?,scalar", "quern.provider.rope=scalar")
        .run(context ->
            assertThat(report(context.getBean(LlamaModel.class)).selection())
                .contains("quern.provider=scalar")
                .contains("quern.provider.rope=scalar"));
    RUNNER
        .withPropertyValues("quern.model=demo", "quern.threads=1")
        .withSystemProperties("quern.provider=scalar", "quern.numerics=exact")
        .run(context -> {
          report(context.getBean(LlamaModel.class)).assertNoFallback("scalar", Operator.LINEAR);
          assertThat(report(context.getBean(LlamaModel.class)).selection())
              .contains("quern.numerics=exact");
        });
  }

  private static KernelReport report(LlamaModel model) {
    return model.report();
  }

  @Test
  void aForbiddenFallBackFailsTheStart() {
    with("quern.assert-no-fallback=linear").run(context -> assertThat(context).hasNotFailed());
    with("quern.provider=vector?,scalar", "quern.assert-no-fallback=all")
        .run(context ->
            assertThat(context)
                .getFailure()
                .hasRootCauseInstanceOf(SelectionException.class)
                .rootCause()
                .hasMessageContaining("quern.assert-no-fallback=all")
                .hasMessageContaining("--add-modules jdk.incubator.vector"));
    with("quern.provider=nobody")
        .run(
            context -> assertThat(context).getFailure().rootCause().hasMessageContaining("nobody"));
  }

  @Test
  void whatIsWrongFailsTheStart() {
    RUNNER.run(context ->
        assertThat(context)
            .getFailure()
            .rootCause()
            .isInstanceOf(InvalidConfigurationPropertyValueException.class)
            .hasMessageContaining("quern.model"));
    with("quern.modell=x")
        .run(context ->
            assertThat(context).getFailure().rootCause().hasMessageContaining("quern.modell"));
    with("quern.chat.temprature=1")
        .run(context ->
            assertThat(context).getFailure().rootCause().hasMessageContaining("temprature"));
    with("quern.parallel=0")
        .run(context ->
            assertThat(context).getFailure().rootCause().hasMessageContaining("sequences=0"));
    with("quern.model=/nowhere/model.gguf")
        .run(context ->
            assertThat(context)
                .getFailure()
                .rootCause()
                .hasMessageContaining("/nowhere/model.gguf"));
  }

  @Test
  void providersHavePropertiesOfTheirOwn() {
    with("quern.scalar.anything=1").run(context -> assertThat(context).hasNotFailed());
  }

  @Test
  void anotherModelMayBeChosen() {
    with("spring.ai.model.chat=openai")
        .run(context ->
            assertThat(context)
                .doesNotHaveBean(ChatModel.class)
                .doesNotHaveBean(Engine.class)
                .hasSingleBean(QuernEmbeddingModel.class));
    with("spring.ai.model.embedding=none")
        .run(context ->
            assertThat(context)
                .hasSingleBean(QuernChatModel.class)
                .doesNotHaveBean(Embedder.class));
    RUNNER
        .withPropertyValues("spring.ai.model.chat=openai", "spring.ai.model.embedding=openai")
        .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LlamaModel.class));
  }

  /// An application that loads the model itself.
  @Configuration(proxyBeanMethods = false)
  static class OwnModel {
    @Bean
    LlamaModel mine() throws Exception {
      return LlamaModel.loadDemo(
          LoadOptions.defaults().withThreads(1).withContext(32).withChatFormat(ChatFormat.PLAIN));
    }
  }

  @Test
  void beansOfTheApplicationComeFirst() {
    RUNNER
        .withUserConfiguration(OwnModel.class)
        .run(context -> {
          assertThat(context).hasNotFailed().hasSingleBean(LlamaModel.class);
          assertThat(context.getBean(LlamaModel.class).context()).isEqualTo(32);
        });
  }
}
