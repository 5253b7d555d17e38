package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Several completions of a prompt that is run once.
class CompletionsTest {
  private static final String PROMPT = "Once upon a time";
  private static final SamplingOptions SAMPLING =
      new SamplingOptions(1.2, 50, 1, 0, 1.1, 64, 40).withPenalties(0.3, 0.2);
  private static final GenerationOptions OPTIONS =
      GenerationOptions.of(25, SAMPLING).withLogProbabilities(2);
  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withBatch(8));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /// Hears texts, one for each completion.
  private static final class Texts {
    private final List<StringBuilder> all = new ArrayList<>();

    Consumer<String> next(int number) {
      assertEquals(all.size(), number);
      all.add(new StringBuilder());
      return all.getLast()::append;
    }

    String get(int number) {
      return all.get(number).toString();
    }
  }

  @Test
  void eachIsWhatItsSeedAloneGives() {
    Texts texts = new Texts();
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      List<Generation> completions = session.completions(prompt, 4, OPTIONS, texts::next);
      assertEquals(4, completions.size());
      for (int i = 0; i < 4; i++) {
        StringBuilder alone = new StringBuilder();
        Generation expected;
        try (LlamaSession other = model.newSession()) {
          GenerationOptions seeded = OPTIONS.withSampling(SAMPLING.withSeed(40 + i));
          expected = other.generate(prompt, seeded, alone::append);
        }
        Generation actual = completions.get(i);
        assertEquals(expected.tokens(), actual.tokens(), "completion " + i);
        assertEquals(expected.logProbabilities(), actual.logProbabilities());
        assertEquals(expected.stop(), actual.stop());
        assertEquals(alone.toString(), texts.get(i));
        assertEquals(i == 0 ? prompt.length : 0, actual.promptTokens());
      }
      assertNotEquals(texts.get(0), texts.get(1));
    }
  }

  /// Text may begin within a character or behind pending tokens, and stop strings take tokens away.
  @Test
  void theSessionGoesOnBehindThePrompt() {
    try (LlamaSession session = model.newSession();
        LlamaSession other = model.newSession()) {
      session.generate(PROMPT, GenerationOptions.greedy(3), text -> {}); // one is pending
      other.generate(PROMPT, GenerationOptions.greedy(3), text -> {});
      int[] more = session.encodePrompt(" and");
      Texts texts = new Texts();
      session.completions(more, 3, OPTIONS.withStopStrings("."), texts::next);
      StringBuilder after = new StringBuilder();
      session.generate("", GenerationOptions.greedy(12), after::append);
      StringBuilder expected = new StringBuilder();
      other.generate(more, GenerationOptions.greedy(12), expected::append);
      assertEquals(expected.toString(), after.toString());
      assertArrayEquals(other.history(), session.history());
    }
  }

  @Test
  void aCancelledOneIsTheLast() {
    Cancellation cancellation = new Cancellation();
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      GenerationOptions options = OPTIONS.withCancellation(cancellation);
      List<Generation> two =
          session.completions(
              prompt,
              5,
              options,
              i -> {
                if (i == 1) {
                  cancellation.cancel();
                }
                return text -> {};
              });
      assertEquals(2, two.size());
      assertEquals(StopReason.CANCELLED, two.get(1).stop());
      assertArrayEquals(prompt, session.history());
      session.rewind(0);
      List<Generation> inThePrompt =
          session.completions(
              prompt, 5, options, i -> text -> assertEquals("nothing is said", text));
      assertEquals(StopReason.CANCELLED, inThePrompt.getFirst().stop());
      assertEquals(1, inThePrompt.size());
      assertEquals(0, session.position());
    }
  }

  @Test
  void aListenerThatThrowsLeavesTheSessionBehindThePrompt() {
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      assertThrows(
          IllegalStateException.class,
          () ->
              session.completions(
                  prompt,
                  2,
                  OPTIONS,
                  i ->
                      text -> {
                        throw new IllegalStateException();
                      }));
      assertArrayEquals(prompt, session.history());
    }
  }

  @Test
  void noneIsRefused() {
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      LlamaException refused =
          assertThrows(
              LlamaException.class, () -> session.completions(prompt, 0, OPTIONS, i -> text -> {}));
      assertEquals("completions: 0, expected at least 1", refused.getMessage());
    }
  }
}
