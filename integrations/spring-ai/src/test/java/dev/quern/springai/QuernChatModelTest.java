package dev.quern.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.QuernException;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.error.QueueFullException;
import dev.quern.llama.error.RequestException;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.DefaultChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;
import reactor.core.Disposable;
import reactor.test.StepVerifier;

/// A chat model by itself: replies, streams, ends, refusals, observations.
@Timeout(60)
class QuernChatModelTest {
  private static final Prompt STORY = new Prompt("Once upon a time");
  private static DemoModels demo;

  @BeforeAll
  static void load() throws Exception {
    demo = DemoModels.open();
  }

  @AfterAll
  static void close() {
    demo.close();
  }

  @Test
  void aReplySaysWhatItTookAndWhoRanIt() {
    ChatResponse response = demo.chatModel(12).call(STORY);
    assertFalse(text(response).isBlank());
    assertEquals("LENGTH", response.getResult().getMetadata().getFinishReason());
    assertEquals("demo", response.getMetadata().getModel());
    assertFalse(response.getMetadata().getId().isEmpty());
    assertEquals("MAX_TOKENS", response.getMetadata().get(QuernChatModel.STOP_REASON));
    String kernels = response.getMetadata().get(QuernChatModel.KERNELS);
    assertTrue(kernels.contains("linear: scalar"), kernels);
    Duration first = response.getMetadata().get(QuernChatModel.TIME_TO_FIRST_TOKEN);
    assertTrue(first.toNanos() > 0);
    assertEquals(12, response.getMetadata().getUsage().getCompletionTokens());
    int prompt = response.getMetadata().getUsage().getPromptTokens();
    assertEquals(prompt + 12, response.getMetadata().getUsage().getTotalTokens());
    ChatResponse again = demo.chatModel(12).call(STORY);
    assertEquals(text(response), text(again));
    assertEquals(prompt - 1, again.getMetadata().getUsage().getCacheReadInputTokens());
  }

  @Test
  void aStreamIsTheReplyInPieces() {
    ChatResponse whole = demo.chatModel(20).call(STORY);
    List<ChatResponse> pieces = demo.chatModel(20).stream(STORY).collectList().block();
    assertTrue(pieces.size() > 5, () -> "pieces: " + pieces.size());
    assertEquals(
        text(whole), pieces.stream().map(QuernChatModelTest::text).collect(Collectors.joining()));
    assertEquals(1, pieces.stream().map(p -> p.getMetadata().getId()).distinct().count());
    ChatResponse last = pieces.getLast();
    assertEquals("LENGTH", last.getResult().getMetadata().getFinishReason());
    assertEquals(20, last.getMetadata().getUsage().getCompletionTokens());
    assertEquals(
        whole.getMetadata().getUsage().getPromptTokens(),
        last.getMetadata().getUsage().getPromptTokens());
  }

  @Test
  void aStreamGivesNoMoreThanIsAskedFor() {
    StepVerifier.create(demo.chatModel(20).stream(STORY), 0)
        .expectSubscription()
        .expectNoEvent(Duration.ofMillis(300))
        .thenRequest(2)
        .expectNextCount(2)
        .expectNoEvent(Duration.ofMillis(100))
        .thenCancel()
        .verify(Duration.ofSeconds(20));
  }

  @Test
  void whoCancelsFreesTheSequence() throws Exception {
    try (HeldEngine held = new HeldEngine(demo.engine())) {
      AtomicInteger pieces = new AtomicInteger();
      Disposable reading =
          demo.chatModel(1_000).stream(STORY).subscribe(_ -> pieces.incrementAndGet());
      while (pieces.get() == 0) {
        held.step();
      }
      assertEquals(2, demo.engine().metrics().running());
      reading.dispose();
      held.step();
      held.step();
      assertEquals(1, demo.engine().metrics().running());
    }
    await(() -> demo.engine().metrics().running() == 0);
  }

  @Test
  void whoCancelsBeforeItBeganLeavesNothing() throws Exception {
    try (HeldEngine held = new HeldEngine(demo.engine())) {
      demo.chatModel(1_000).stream(STORY).subscribe().dispose();
      long ended = demo.engine().metrics().ended();
      while (demo.engine().metrics().ended() == ended) { // submitted, and ended by the cancel
        held.step();
      }
      assertEquals(1, demo.engine().metrics().running());
    }
    await(() -> demo.engine().metrics().running() == 0);
  }

  @Test
  void anInterruptEndsACall() throws Exception {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Boolean> interrupted = new AtomicReference<>();
    try (HeldEngine held = new HeldEngine(demo.engine())) {
      Thread caller =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  demo.chatModel(1_000).call(STORY);
                } catch (RuntimeException e) {
                  thrown.set(e);
                  interrupted.set(Thread.currentThread().isInterrupted());
                }
              });
      while (demo.engine().metrics().running() < 2) {
        held.step();
      }
      caller.interrupt();
      caller.join();
      held.step();
      held.step();
      assertEquals(1, demo.engine().metrics().running());
    }
    assertEquals(CancellationException.class, thrown.get().getClass());
    assertTrue(interrupted.get());
    await(() -> demo.engine().metrics().running() == 0);
  }

  @Test
  void theEndIsAsAsked() {
    String story = text(demo.chatModel(20).call(STORY));
    String word = story.strip().split(" ")[3];
    ChatResponse stopped =
        demo.chatModel(20)
            .call(
                new Prompt(
                    "Once upon a time",
                    DemoModels.options(20).stopSequences(List.of(word)).build()));
    assertEquals("STOP", stopped.getResult().getMetadata().getFinishReason());
    assertEquals(story.substring(0, story.indexOf(word)), text(stopped));
    ChatResponse late =
        demo.chatModel(20)
            .call(
                new Prompt(
                    "Once upon a time",
                    DemoModels.options(1_000).timeout(Duration.ofNanos(1)).build()));
    assertEquals("DEADLINE", late.getResult().getMetadata().getFinishReason());
  }

  @Test
  void everyOptionReachesTheSampler() {
    String greedy = text(demo.chatModel(16).call(STORY));
    ChatOptions portable = ChatOptions.builder().temperature(0.0).maxTokens(16).build();
    assertEquals(greedy, text(demo.chatModel(4).call(new Prompt("Once upon a time", portable))));
    QuernChatOptions drawn =
        QuernChatOptions.builder().temperature(2.0).topK(0).seed(7L).maxTokens(16).build();
    String first = text(demo.chatModel(1).call(new Prompt("Once upon a time", drawn)));
    assertEquals(first, text(demo.chatModel(1).call(new Prompt("Once upon a time", drawn))));
    for (QuernChatOptionsBuilder other :
        List.of(
            drawn.mutate().seed(8L),
            drawn.mutate().topK(1),
            drawn.mutate().topP(0.01),
            drawn.mutate().minP(1.0),
            drawn.mutate().typicalP(0.01),
            drawn.mutate().repeatPenalty(100.0),
            drawn.mutate().frequencyPenalty(50.0),
            drawn.mutate().presencePenalty(50.0),
            drawn.mutate().maxTokens(8))) {
      assertFalse(
          text(demo.chatModel(1).call(new Prompt("Once upon a time", other.build()))).equals(first),
          () -> "the same as without: " + other.build());
    }
  }

  @Test
  void whatCanNotBeDoneIsRefusedInOneLine() {
    assertRefused("model=gpt-5", new Prompt("Hi", DemoModels.options(5).model("gpt-5").build()));
    assertRefused(
        "temperature=-1.0", new Prompt("Hi", DemoModels.options(5).temperature(-1.0).build()));
    assertRefused(
        "'/type'",
        new Prompt("Hi", DemoModels.options(5).outputSchema("{\"type\":\"oops\"}").build()));
    assertRefused(
        "tool choice", new Prompt("Hi", DemoModels.options(5).toolChoice("required").build()));
    assertRefused("options of", new Prompt("Hi", new OtherOptions()));
    assertRefused(
        "image/png",
        new Prompt(
            UserMessage.builder()
                .text("What is this?")
                .media(new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(new byte[1])))
                .build()));
  }

  private static void assertRefused(String part, Prompt prompt) {
    QuernException e =
        assertThrows(QuernException.class, () -> demo.chatModel(5).call(prompt), part);
    assertTrue(
        e.getMessage().contains(part) && e.getMessage().contains("expected"), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    StepVerifier.create(demo.chatModel(5).stream(prompt))
        .verifyErrorMatches(streamed -> streamed.getMessage().equals(e.getMessage()));
  }

  /// As another model's would be.
  private static final class OtherOptions extends DefaultChatOptions {
    OtherOptions() {
      super(null, null, 5, null, null, null, null, null);
    }
  }

  @Test
  void aFullQueueIsBusyNotWrong() throws Exception {
    try (DemoModels small =
        DemoModels.open(EngineOptions.defaults().withSequences(1).withQueue(1).withPrefixes(0))) {
      QuernChatModel chat = small.chatModel(5);
      try (HeldEngine _ = new HeldEngine(small.engine())) {
        Disposable waiting = chat.stream(STORY).subscribe();
        await(() -> small.engine().metrics().waiting() == 1);
        assertThrows(QueueFullException.class, () -> chat.call(STORY));
        StepVerifier.create(chat.stream(STORY)).verifyError(QueueFullException.class);
        waiting.dispose();
      }
      await(() -> small.engine().metrics().waiting() + small.engine().metrics().running() == 0);
      assertFalse(text(small.chatModel(5).call(STORY)).isEmpty());
    }
  }

  @Test
  void observationsAreSpringsOwn() throws InterruptedException {
    TestObservationRegistry registry = TestObservationRegistry.create();
    QuernChatModel chat =
        QuernChatModel.builder(demo.model(), demo.chat())
            .name("demo")
            .options(DemoModels.options(6).topK(40).stopSequences(List.of("zzz")).build())
            .observationRegistry(registry)
            .build();
    chat.call(STORY);
    assertObserved(registry, 6);
    registry.clear();
    chat.stream(STORY).blockLast();
    awaitObserved(registry, 6); // Reactor ends it behind the subscriber's last signal
    registry.clear();
    assertThrows(
        RequestException.class,
        () ->
            chat.call(
                new Prompt("Hi", DemoModels.options(5).outputSchema("{\"type\":1}").build())));
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo(DefaultChatModelObservationConvention.DEFAULT_NAME)
        .that()
        .hasError();
  }

  private static void awaitObserved(TestObservationRegistry registry, int tokens)
      throws InterruptedException {
    long end = System.nanoTime() + 10_000_000_000L;
    while (true) {
      try {
        assertObserved(registry, tokens);
        return;
      } catch (AssertionError e) { // rethrown where it stays so
        if (System.nanoTime() > end) {
          throw e;
        }
      }
      Thread.sleep(5);
    }
  }

  private static void assertObserved(TestObservationRegistry registry, int tokens) {
    TestObservationRegistryAssert.assertThat(registry)
        .doesNotHaveAnyRemainingCurrentObservation()
        .hasObservationWithNameEqualTo(DefaultChatModelObservationConvention.DEFAULT_NAME)
        .that()
        .hasContextualNameEqualTo("chat demo")
        .hasLowCardinalityKeyValue("gen_ai.operation.name", "chat")
        .hasLowCardinalityKeyValue("gen_ai.request.model", "demo")
        .hasLowCardinalityKeyValue("gen_ai.response.model", "demo")
        .hasHighCardinalityKeyValue("gen_ai.request.max_tokens", "6")
        .hasHighCardinalityKeyValue("gen_ai.request.temperature", "0.0")
        .hasHighCardinalityKeyValue("gen_ai.request.top_k", "40")
        .hasHighCardinalityKeyValue("gen_ai.request.stop_sequences", "[\"zzz\"]")
        .hasHighCardinalityKeyValue("gen_ai.response.finish_reasons", "[\"LENGTH\"]")
        .hasHighCardinalityKeyValue("gen_ai.usage.output_tokens", Integer.toString(tokens))
        .hasBeenStarted()
        .hasBeenStopped();
  }

  private static String text(ChatResponse response) {
    return response.getResult().getOutput().getText();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) { // the class's time limit ends it
      Thread.sleep(2);
    }
  }
}
