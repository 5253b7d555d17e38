package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Operator;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.error.QueueFullException;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class EngineTest {
  private static final EngineOptions FOUR =
      EngineOptions.defaults().withSequences(4).withPromptRows(7);

  /// What a request asks for, and what it gets alone.
  private record Expected(
      EngineRequest request, List<Integer> tokens, String text, StopReason stop) {}

  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(InvariantScalar.options());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void eachRequestGetsWhatItGetsAlone() throws Exception {
    Random random = new Random(5);
    List<Expected> expected = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      expected.add(alone(request(random)));
    }
    try (Engine engine = model.newEngine(FOUR);
        ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<Generation>> answers = new ArrayList<>();
      List<StringBuffer> texts = new ArrayList<>();
      for (Expected e : expected) {
        StringBuffer text = new StringBuffer();
        texts.add(text);
        answers.add(threads.submit(() -> engine.submit(e.request, text::append).await()));
      }
      for (int i = 0; i < expected.size(); i++) {
        Generation answer = answers.get(i).get();
        assertEquals(expected.get(i).tokens, answer.tokens(), "request " + i);
        assertEquals(expected.get(i).text, texts.get(i).toString(), "request " + i);
        assertEquals(expected.get(i).stop, answer.stop(), "request " + i);
        assertEquals(expected.get(i).request.prompt().length, answer.promptTokens());
      }
      EngineMetrics metrics = engine.metrics();
      assertEquals(24, metrics.ended());
      assertEquals(0, metrics.running() + metrics.waiting());
      assertEquals(
          expected.stream().mapToLong(e -> e.request.prompt().length).sum(),
          metrics.promptTokens());
      // Each token is a row of some step: fewer steps than tokens means that rows were shared.
      assertTrue(metrics.steps() < metrics.generatedTokens(), metrics::toString);
    }
  }

  /// Greedy and drawn: guesses change no token, and are right where a text repeats itself.
  @Test
  void guessesChangeNothing() throws Exception {
    Random random = new Random(17);
    List<Expected> expected = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      int[] part = random.ints(5 + random.nextInt(20), 3, 500).toArray();
      int[] prompt = SessionTokens.concat(SessionTokens.concat(part, part), part);
      SamplingOptions sampling =
          i % 2 == 0 ? SamplingOptions.GREEDY : SamplingOptions.standard(random.nextInt());
      GenerationOptions options = GenerationOptions.of(random.nextInt(60), sampling);
      expected.add(
          alone(
              EngineRequest.of(
                  prompt, i % 3 == 0 ? options.withStopStrings("a", "the ") : options)));
    }
    expected.add(
        alone(
            EngineRequest.of(new int[model.context() - 20], options(SamplingOptions.GREEDY, 50))));
    try (Engine engine = model.newEngine(FOUR.withLookup(5))) {
      List<Completion> completions = new ArrayList<>();
      List<StringBuffer> texts = new ArrayList<>();
      for (Expected e : expected) {
        texts.add(new StringBuffer());
        completions.add(engine.submit(e.request, texts.getLast()::append));
      }
      for (int i = 0; i < expected.size(); i++) {
        Generation answer = completions.get(i).await();
        assertEquals(expected.get(i).tokens, answer.tokens(), "request " + i);
        assertEquals(expected.get(i).stop, answer.stop(), "request " + i);
        assertEquals(expected.get(i).text, texts.get(i).toString(), "request " + i);
      }
      EngineMetrics metrics = engine.metrics();
      assertTrue(metrics.acceptedTokens() > 20, metrics::toString);
      assertTrue(metrics.guessedTokens() > metrics.acceptedTokens(), metrics::toString);
    }
  }

  /// Of one that has ended, whose caches it takes over or copies from, and of one that runs.
  @Test
  void aPromptsKnownBeginningIsNotRunAgain() throws Exception {
    Random random = new Random(11);
    int[] system = random.ints(50, 3, 500).toArray();
    GenerationOptions options = options(SamplingOptions.standard(3), 30);
    List<Expected> expected = new ArrayList<>();
    for (int length : new int[] {5, 9, 0}) {
      int[] prompt = SessionTokens.concat(system, random.ints(length, 3, 500).toArray());
      expected.add(alone(EngineRequest.of(prompt, options)));
    }
    Expected first = expected.getFirst();
    int[] turn = SessionTokens.concat(first.request.prompt(), ids(first.tokens.subList(0, 29)));
    expected.add(alone(EngineRequest.of(SessionTokens.concat(turn, new int[] {7, 8, 9}), options)));
    long[] cached = {0, 50, 49, turn.length};
    try (Engine engine = model.newEngine(FOUR)) {
      long before = 0;
      for (int i = 0; i < expected.size(); i++) {
        Expected e = expected.get(i);
        assertEquals(e.tokens, engine.submit(e.request, _ -> {}).await().tokens(), "request " + i);
        long now = engine.metrics().cachedTokens();
        assertEquals(cached[i], now - before, "request " + i);
        before = now;
      }
    }
    try (Engine engine = model.newEngine(FOUR.withPrefixes(0))) {
      CountDownLatch started = new CountDownLatch(1);
      int[] prompt = expected.get(1).request.prompt();
      Completion runs =
          engine.submit(
              EngineRequest.of(prompt, options.withMaxTokens(400)), _ -> started.countDown());
      started.await();
      Expected second = expected.get(2);
      assertEquals(second.tokens, engine.submit(second.request, _ -> {}).await().tokens());
      assertEquals(49, engine.metrics().cachedTokens());
      runs.cancel();
      assertEquals(expected.get(1).tokens.subList(0, 20), runs.await().tokens().subList(0, 20));
      engine.submit(second.request, _ -> {}).await();
      assertEquals(49, engine.metrics().cachedTokens()); // nothing runs, and nothing is kept
    }
  }

  @Test
  void eightTogetherSayWhatEachSaysAlone() throws Exception {
    LoadOptions options = LoadOptions.defaults().withThreads(2);
    try (LlamaModel usual = LlamaModel.loadDemo(options)) {
      EngineTexts.assertThoseOfEachAlone(usual);
    }
    Path stories = SharedFiles.file("models/stories260K-Q4_0.gguf");
    try (LlamaModel usual = LlamaModel.load(stories, options)) {
      EngineTexts.assertThoseOfEachAlone(usual);
    }
  }

  @Test
  void ofMorePrefixesThanAreKeptTheOldestGoes() throws Exception {
    Random random = new Random(13);
    try (Engine engine = model.newEngine(FOUR.withPrefixes(2))) {
      int[][] prompts = new int[3][];
      for (int i = 0; i < 3; i++) {
        prompts[i] = random.ints(40, 3, 500).toArray();
      }
      long[] cached = {0, 0, 39, 39, 78, 78};
      int[] order = {0, 1, 0, 2, 0, 1};
      for (int i = 0; i < order.length; i++) {
        GenerationOptions one = options(SamplingOptions.GREEDY, 1);
        engine.submit(EngineRequest.of(prompts[order[i]], one), _ -> {}).await();
        assertEquals(cached[i], engine.metrics().cachedTokens(), "request " + i);
      }
    }
  }

  @Test
  void aFullQueueIsARejection() throws Exception {
    try (Engine engine = model.newEngine(FOUR.withSequences(1).withQueue(2))) {
      CountDownLatch started = new CountDownLatch(1);
      Completion first = engine.submit(endless(), _ -> started.countDown());
      started.await();
      Completion second = engine.submit(endless(), _ -> {});
      Completion third = engine.submit(endless(), _ -> {});
      String refused =
          assertThrows(QueueFullException.class, () -> engine.submit(endless(), _ -> {}))
              .getMessage();
      assertEquals(
          "engine: 2 requests wait already, and 1 run; expected fewer than queue=2, try again later",
          refused);
      assertEquals(1, engine.metrics().rejected());
      second.cancel();
      assertEquals(List.of(), second.await().tokens());
      first.cancel();
      assertEquals(StopReason.CANCELLED, first.await().stop());
      third.cancel();
      assertEquals(StopReason.CANCELLED, third.await().stop());
    }
  }

  @Test
  void aQueueMayBeAsLongAsAnIntGoes() throws Exception {
    try (Engine engine = model.newEngine(FOUR.withQueue(Integer.MAX_VALUE))) {
      EngineRequest request = EngineRequest.of(new int[] {1}, options(SamplingOptions.GREEDY, 1));
      assertEquals(1, engine.submit(request, _ -> {}).await().tokens().size());
    }
  }

  @Test
  void aDeadlineEndsARequestThatRunsAndOneThatWaits() throws Exception {
    try (Engine engine = model.newEngine(FOUR.withSequences(1))) {
      Completion runs = engine.submit(endless().withDeadline(Duration.ofMillis(300)), _ -> {});
      Completion waits = engine.submit(endless().withDeadline(Duration.ofMillis(1)), _ -> {});
      assertEquals(StopReason.DEADLINE, waits.await().stop());
      assertEquals(List.of(), waits.await().tokens());
      assertEquals(StopReason.DEADLINE, runs.await().stop());
      assertTrue(runs.await().tokens().size() > 0);
    }
  }

  @Test
  void whatAListenerThrowsIsItsRequestsAlone() throws Exception {
    IllegalStateException mistake = new IllegalStateException("the listener's");
    Expected other = alone(request(new Random(7)));
    try (Engine engine = model.newEngine(FOUR)) {
      Completion broken =
          engine.submit(
              endless(),
              _ -> {
                throw mistake;
              });
      Completion whole = engine.submit(other.request, _ -> {});
      assertSame(mistake, assertThrows(IllegalStateException.class, broken::await));
      assertEquals(other.tokens, whole.await().tokens());
      while (engine.metrics().running() > 0) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void closingEndsWhatRunsAndWhatWaits() throws Exception {
    Engine engine = model.newEngine(FOUR.withSequences(1));
    CountDownLatch started = new CountDownLatch(1);
    Completion runs = engine.submit(endless(), _ -> started.countDown());
    Completion waits = engine.submit(endless(), _ -> {});
    started.await();
    engine.close();
    engine.close();
    assertEquals(StopReason.CANCELLED, runs.await().stop());
    assertEquals(StopReason.CANCELLED, waits.await().stop());
    assertThrows(IllegalStateException.class, () -> engine.submit(endless(), _ -> {}));
  }

  @Test
  void whoeverClosesReturnsWhenNothingRunsAnyMore() throws Exception {
    for (int round = 0; round < 10; round++) {
      Engine engine = model.newEngine(FOUR);
      CountDownLatch started = new CountDownLatch(1);
      engine.submit(endless(), _ -> started.countDown());
      started.await();
      CyclicBarrier both = new CyclicBarrier(2);
      Callable<Integer> closer =
          () -> {
            both.await();
            engine.close();
            return engine.metrics().running();
          };
      try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
        Future<Integer> one = threads.submit(closer);
        Future<Integer> other = threads.submit(closer);
        assertEquals(0, one.get());
        assertEquals(0, other.get());
      }
    }
  }

  @Test
  void aProfileHearsOfItsKernels() throws Exception {
    KernelProfile profile = new KernelProfile();
    LoadOptions options = LoadOptions.defaults().withThreads(1).withProfile(profile);
    try (LlamaModel profiled = LlamaModel.loadDemo(options);
        Engine engine = profiled.newEngine(FOUR)) {
      profile.reset();
      engine.submit(endless(), _ -> {}).await();
      for (Operator<?, ?> operator : Operator.values()) {
        assertTrue(profile.calls(operator) > 0, operator::toString);
      }
    }
  }

  @Test
  void whatCannotRunIsRefused() {
    try (Engine engine = model.newEngine(FOUR)) {
      GenerationOptions options = GenerationOptions.greedy(1);
      assertThrows(
          PromptException.class,
          () -> engine.submit(EngineRequest.of(new int[0], options), _ -> {}));
      assertThrows(
          PromptException.class,
          () -> engine.submit(EngineRequest.of(new int[model.context() + 1], options), _ -> {}));
      assertThrows(
          LlamaException.class,
          () -> engine.submit(EngineRequest.of(new int[] {1 << 20}, options), _ -> {}));
      SamplingOptions beyond = SamplingOptions.GREEDY.withLogitBias(Map.of(1 << 20, 1.0));
      assertThrows(
          LlamaException.class,
          () -> engine.submit(EngineRequest.of(new int[] {3}, options(beyond, 1)), _ -> {}));
      assertEquals(
          "engine: sequences=0, expected >= 1",
          assertThrows(LlamaException.class, () -> FOUR.withSequences(0)).getMessage());
      assertEquals(
          "engine: lookup=17, expected <= 16",
          assertThrows(LlamaException.class, () -> FOUR.withLookup(17)).getMessage());
      assertThrows(
          LlamaException.class, () -> model.newEngine(FOUR.withSequences(Integer.MAX_VALUE)));
    }
  }

  private static int[] ids(List<Integer> tokens) {
    return tokens.stream().mapToInt(t -> t).toArray();
  }

  private static EngineRequest endless() {
    return EngineRequest.of(
        model.tokenizer().encode("Once", false), options(SamplingOptions.GREEDY, 500));
  }

  private static GenerationOptions options(SamplingOptions sampling, int maxTokens) {
    return GenerationOptions.of(maxTokens, sampling).ignoringEnd();
  }

  private static EngineRequest request(Random random) {
    int[] prompt = random.ints(1 + random.nextInt(60), 3, 500).toArray();
    SamplingOptions sampling =
        random.nextBoolean() ? SamplingOptions.GREEDY : SamplingOptions.standard(random.nextInt());
    GenerationOptions options = GenerationOptions.of(random.nextInt(40), sampling);
    return EngineRequest.of(
        prompt, random.nextInt(3) == 0 ? options.withStopStrings("a", "the ") : options);
  }

  private static Expected alone(EngineRequest request) {
    try (LlamaSession session = model.newSession()) {
      StringBuilder text = new StringBuilder();
      Generation g = session.generate(request.prompt(), request.options(), text::append);
      return new Expected(request, g.tokens(), text.toString(), g.stop());
    }
  }
}
