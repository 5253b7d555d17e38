package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.KvFormat;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The embedded model, and how sessions behave.
@Timeout(120)
class DemoModelTest {
  private static final String PROMPT = "Once upon a time";
  private static LlamaModel model;

  @BeforeAll
  static void load() throws Exception {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(2).withBatch(16));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void tellsTheStoryThatLlamaCppTells() throws IOException {
    assertEquals(expectedText(), PROMPT + greedy(PROMPT, 400));
  }

  @Test
  void logitsAgreeWithLlamaCpp() throws IOException {
    ReferenceLogits reference;
    try (InputStream in = DemoModelTest.class.getResourceAsStream("demo.reference.json")) {
      reference = ReferenceLogits.read(in, null);
    }
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel f32 =
            LlamaModel.loadDemo(LoadOptions.defaults().withKv(KvFormat.F32).withThreads(1));
        LlamaSession session = f32.newSession()) {
      session.evaluate(reference.tokens(), logits::add);
    }
    // llama.cpp rounds activations to F16 for F16 weights.
    reference
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(nmse < 1e-5, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
  }

  @Test
  void aTextCanBeContinuedInPieces() throws Exception {
    String whole = greedy(PROMPT, 40);
    StringBuilder pieces = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      session.generate(PROMPT, GenerationOptions.greedy(10), pieces::append);
      session.generate("", GenerationOptions.greedy(7), pieces::append);
      session.generate("", GenerationOptions.greedy(23), pieces::append);
    }
    assertEquals(whole, pieces.toString());
  }

  @Test
  void rewindingForgets() {
    try (LlamaSession session = model.newSession()) {
      Generation first = session.generate(PROMPT, GenerationOptions.greedy(20), text -> {});
      int[] prompt = Arrays.copyOf(session.history(), first.promptTokens());
      session.rewind(0);
      assertEquals(0, session.position());
      Generation second = session.generate(prompt, GenerationOptions.greedy(20), text -> {});
      assertEquals(first.tokens(), second.tokens());
      assertThrows(LlamaException.class, () -> session.rewind(session.position() + 1));
    }
  }

  @Test
  void batchesOfAnySizeGiveTheSameText() throws Exception {
    String expected = greedy(PROMPT + ", there was a curious boy named Oskar. Oskar and", 30);
    for (int batch : new int[] {1, 3, 512}) {
      try (LlamaModel other =
              LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withBatch(batch));
          LlamaSession session = other.newSession()) {
        StringBuilder text = new StringBuilder();
        session.generate(
            PROMPT + ", there was a curious boy named Oskar. Oskar and",
            GenerationOptions.greedy(30),
            text::append);
        assertEquals(expected, text.toString(), "batch " + batch);
      }
    }
  }

  @Test
  void aPromptThatDoesNotFitIsRefusedAndNothingIsLost() throws Exception {
    try (LlamaModel small =
            LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withContext(20));
        LlamaSession session = small.newSession()) {
      session.generate(PROMPT, GenerationOptions.greedy(1), text -> {});
      int position = session.position();
      LlamaException refused =
          assertThrows(
              LlamaException.class,
              () -> session.generate("word ".repeat(30), GenerationOptions.greedy(1), t -> {}));
      assertTrue(refused.getMessage().contains("at most 20"), refused.getMessage());
      assertEquals(position, session.position());
    }
  }

  @Test
  void generationStopsWhereTheContextEnds() throws Exception {
    try (LlamaModel small =
            LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withContext(20));
        LlamaSession session = small.newSession()) {
      Generation generation = session.generate(PROMPT, GenerationOptions.greedy(1000), text -> {});
      assertEquals(StopReason.CONTEXT_FULL, generation.stop());
      assertEquals(20, session.position());
      // The last token is chosen from the last position's logits, and has no place of its own.
      assertEquals(20 - generation.promptTokens() + 1, generation.tokens().size());
    }
  }

  @Test
  void aContextBeyondTheModelsIsRefused() {
    LlamaException refused =
        assertThrows(
            LlamaException.class,
            () -> LlamaModel.loadDemo(LoadOptions.defaults().withContext(513)));
    assertEquals(
        "context=513, expected at most 512, which the model was trained for", refused.getMessage());
  }

  @Test
  void badTokenIdsAreRefused() {
    try (LlamaSession session = model.newSession()) {
      LlamaException refused =
          assertThrows(
              LlamaException.class,
              () ->
                  session.generateTokens(new int[] {512}, GenerationOptions.greedy(1), t -> true));
      assertEquals("token id 512, expected 0 to 511", refused.getMessage());
    }
  }

  @Test
  void cancellingEndsAGenerationFromAnotherThread() throws InterruptedException {
    try (LlamaSession session = model.newSession()) {
      AtomicReference<Generation> result = new AtomicReference<>();
      Thread generating =
          Thread.ofPlatform()
              .start(() ->
                  result.set(
                      session.generate(
                          PROMPT, GenerationOptions.greedy(400), text -> session.cancel())));
      generating.join();
      assertEquals(StopReason.CANCELLED, result.get().stop());
      assertEquals(1, result.get().tokens().size());
    }
  }

  @Test
  void closingAModelEndsItsSessions() throws Exception {
    LlamaModel other = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(2));
    LlamaSession session = other.newSession();
    AtomicReference<Generation> result = new AtomicReference<>();
    Thread generating =
        Thread.ofPlatform()
            .start(() ->
                result.set(
                    session.generate(
                        PROMPT,
                        GenerationOptions.greedy(400),
                        text -> {
                          if (!text.isEmpty()) {
                            new Thread(other::close).start();
                          }
                        })));
    generating.join();
    assertTrue(
        result.get().stop() == StopReason.CANCELLED
            || result.get().stop() == StopReason.END_OF_TEXT);
    other.close();
    assertThrows(IllegalStateException.class, () -> session.rewind(0));
    assertThrows(IllegalStateException.class, other::newSession);
  }

  @Test
  void sessionsOfOneModelRunAtOnce() throws InterruptedException {
    String expected = greedy(PROMPT, 60);
    List<Thread> threads = new ArrayList<>();
    String[] texts = new String[4];
    for (int i = 0; i < texts.length; i++) {
      int number = i;
      threads.add(Thread.ofPlatform().start(() -> texts[number] = greedy(PROMPT, 60)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertArrayEquals(new String[] {expected, expected, expected, expected}, texts);
  }

  private static String greedy(String prompt, int maxTokens) {
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      session.generate(prompt, GenerationOptions.greedy(maxTokens), text::append);
    }
    return text.toString();
  }

  private static String expectedText() throws IOException {
    try (InputStream in = DemoModelTest.class.getResourceAsStream("demo.expected.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
