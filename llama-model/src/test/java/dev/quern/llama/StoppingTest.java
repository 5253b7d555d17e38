package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What ends a generation, and what it leaves behind.
class StoppingTest {
  private static final String PROMPT = "Once upon a time";
  private static LlamaModel model;
  private static String story; // that the demo model tells after the prompt
  private static List<Integer> tokens; // its tokens

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withBatch(8));
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      tokens = session.generate(PROMPT, GenerationOptions.greedy(60), text::append).tokens();
    }
    story = text.toString();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /// Every text of one to twelve characters of the story, as a stop string.
  @Test
  void textEndsBeforeAStopStringWhereverItLies() {
    for (int from = 0; from + 12 < 60; from += 5) {
      for (int length : new int[] {1, 2, 5, 12}) {
        String stop = story.substring(from, from + length);
        String expected = story.substring(0, story.indexOf(stop));
        List<String> pieces = new ArrayList<>();
        try (LlamaSession session = model.newSession()) {
          Generation generation =
              session.generate(
                  PROMPT,
                  GenerationOptions.greedy(60).withStopStrings("no such text", stop),
                  pieces::add);
          assertEquals(StopReason.STOP_STRING, generation.stop(), stop);
          assertEquals(expected, String.join("", pieces), stop);
          assertFalse(pieces.contains(""));
          // The session's text is what was handed on, and goes on from there.
          assertEquals(
              PROMPT + expected,
              model.tokenizer().decode(all(session)),
              "the session's text before " + stop);
        }
      }
    }
  }

  @Test
  void whatIsHeldBackIsHandedOnAtTheLimit() {
    int ten = model.tokenizer().decode(ints(tokens.subList(0, 10))).length();
    String stop = story.substring(ten - 2, ten + 2); // begins in the tenth token's text or before
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      Generation generation =
          session.generate(
              PROMPT, GenerationOptions.greedy(10).withStopStrings(stop), text::append);
      assertEquals(StopReason.MAX_TOKENS, generation.stop());
      assertEquals(story.substring(0, ten), text.toString());
      session.generate("", GenerationOptions.greedy(50), text::append);
    }
    assertEquals(story, text.toString());
  }

  @Test
  void anEndThatIsNoStopStringIsHandedOn() throws IOException {
    String whole;
    try (LlamaSession session = model.newSession()) {
      StringBuilder text = new StringBuilder();
      session.generate(PROMPT, GenerationOptions.greedy(400), text::append);
      whole = text.toString();
    }
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      String end = whole.substring(whole.length() - 2);
      Generation generation =
          session.generate(
              PROMPT, GenerationOptions.greedy(400).withStopStrings(end + "\0"), text::append);
      assertEquals(StopReason.END_OF_TEXT, generation.stop());
    }
    assertEquals(whole, text.toString());
  }

  @Test
  void stopStringsEndTokensToo() {
    String stop = story.substring(7, 15);
    List<Integer> heard = new ArrayList<>();
    try (LlamaSession session = model.newSession()) {
      Generation generation =
          session.generateTokens(
              session.encodePrompt(PROMPT),
              GenerationOptions.greedy(60).withStopStrings(stop),
              heard::add);
      assertEquals(StopReason.STOP_STRING, generation.stop());
      assertEquals(heard, generation.tokens());
      assertEquals(tokens.subList(0, heard.size()), heard);
    }
  }

  @Test
  void aStopStringThatCantBeFoundIsRefused() {
    GenerationOptions options = GenerationOptions.greedy(1);
    for (String stop : List.of("", "a\ud83d", "\ude00")) {
      LlamaException refused =
          assertThrows(LlamaException.class, () -> options.withStopStrings("fine", stop));
      assertTrue(refused.getMessage().startsWith("stop string: "), refused.getMessage());
    }
  }

  @Test
  void aCancellationBeforeTheCallIsNotLost() {
    Cancellation cancellation = new Cancellation();
    GenerationOptions options = GenerationOptions.greedy(5).withCancellation(cancellation);
    try (LlamaSession session = model.newSession()) {
      assertEquals(StopReason.MAX_TOKENS, session.generate(PROMPT, options, text -> {}).stop());
      int[] before = session.history();
      cancellation.cancel();
      assertTrue(cancellation.isCancelled());
      Generation generation =
          session.generate(", and more", options, text -> assertEquals("", text));
      assertEquals(StopReason.CANCELLED, generation.stop());
      assertEquals(List.of(), generation.tokens());
      assertArrayEquals(before, session.history());
      // What was refused was not said.
      StringBuilder text = new StringBuilder();
      session.generate("", GenerationOptions.greedy(10), text::append);
      assertTrue(story.contains(text), text.toString());
    }
  }

  @Test
  void aCancellationFromTheListenerEndsTheGeneration() {
    Cancellation cancellation = new Cancellation();
    try (LlamaSession session = model.newSession()) {
      Generation generation =
          session.generateTokens(
              session.encodePrompt(PROMPT),
              GenerationOptions.greedy(50).withCancellation(cancellation),
              token -> {
                cancellation.cancel();
                return true;
              });
      assertEquals(StopReason.CANCELLED, generation.stop());
      assertEquals(1, generation.tokens().size());
    }
  }

  @Test
  void withMethodsChangeOneThing() {
    GenerationOptions options =
        GenerationOptions.of(3, SamplingOptions.GREEDY)
            .withStopTokens(Set.of(4))
            .withStopStrings("x")
            .ignoringEnd();
    assertEquals(3, options.maxTokens());
    assertEquals(Set.of(4), options.stopTokens());
    assertEquals(List.of("x"), options.stopStrings());
    assertTrue(options.ignoreEnd());
    assertEquals(options.withMaxTokens(9).withMaxTokens(3), options);
  }

  /// The session's tokens, those included that wait for what follows.
  private static int[] all(LlamaSession session) {
    session.generate("", GenerationOptions.greedy(0), text -> {});
    return session.history();
  }

  private static int[] ints(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
