package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The demo model, for which a copy of itself in four bits guesses.
@Timeout(300)
class DraftTest {
  private static final EngineOptions FOUR =
      EngineOptions.defaults().withSequences(4).withPromptRows(7);

  @TempDir static Path folder;

  private static LlamaModel model;
  private static LlamaModel draft;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(InvariantScalar.options());
    Path file = folder.resolve("draft.gguf");
    try (Checkpoint source = ModelSource.DEMO.open()) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of("int4-block", 32));
      new ModelQuantizer(source, Workers.sequential(), _ -> {}).write(plan, file);
    }
    draft = LlamaModel.load(file, InvariantScalar.options());
  }

  @AfterAll
  static void close() {
    model.close();
    draft.close();
  }

  /// Greedy and drawn, with penalties, alone and with look-up; several at once, whose prompts begin
  /// alike.
  @Test
  void guessesChangeNothing() throws Exception {
    Random random = new Random(23);
    List<EngineRequest> requests = new ArrayList<>();
    List<Generation> expected = new ArrayList<>();
    int[] shared = random.ints(40, 3, 500).toArray();
    for (int i = 0; i < 10; i++) {
      int[] own = random.ints(1 + random.nextInt(70), 3, 500).toArray();
      int[] prompt = i % 4 == 0 ? SessionTokens.concat(shared, own) : own;
      SamplingOptions sampling =
          i % 2 == 0 ? SamplingOptions.GREEDY : SamplingOptions.standard(random.nextInt());
      if (i % 5 == 0) {
        sampling = sampling.withPenalties(0.5, 0.1);
      }
      GenerationOptions options = GenerationOptions.of(30 + random.nextInt(60), sampling);
      requests.add(
          EngineRequest.of(prompt, i % 3 == 0 ? options.withStopStrings("the ") : options));
      try (LlamaSession session = model.newSession()) {
        expected.add(session.generate(prompt, requests.getLast().options(), _ -> {}));
      }
    }
    for (EngineOptions options : List.of(FOUR, FOUR.withLookup(3), FOUR.withDraftTokens(1))) {
      try (Engine engine = model.newEngine(options, draft)) {
        List<Completion> completions = new ArrayList<>();
        for (EngineRequest r : requests) {
          completions.add(engine.submit(r, _ -> {}));
        }
        for (int i = 0; i < requests.size(); i++) {
          Generation answer = completions.get(i).await();
          assertEquals(expected.get(i).tokens(), answer.tokens(), "request " + i);
          assertEquals(expected.get(i).stop(), answer.stop(), "request " + i);
        }
        EngineMetrics metrics = engine.metrics();
        assertTrue(metrics.acceptedTokens() > 0, metrics::toString);
        assertTrue(metrics.guessedTokens() > metrics.acceptedTokens(), metrics::toString);
        assertTrue(metrics.unguessedTokens() > 0, metrics::toString); // before the first trial
        assertTrue(metrics.kvBytes() > 0, metrics::toString);
      }
    }
  }

  @Test
  void aModelThatAgreesIsRightMostOfTheTime() throws Exception {
    int[] prompt = model.tokenizer().encode("Once upon a time", false);
    for (SamplingOptions sampling : List.of(SamplingOptions.GREEDY, SamplingOptions.standard(7))) {
      long guessed = 0;
      long right = 0;
      for (int i = 0; i < 2; i++) {
        try (Engine engine = model.newEngine(FOUR, draft)) {
          GenerationOptions options = GenerationOptions.of(250, sampling.withSeed(i)).ignoringEnd();
          engine.submit(EngineRequest.of(prompt, options), _ -> {}).await();
          guessed += engine.metrics().guessedTokens();
          right += engine.metrics().acceptedTokens();
        }
      }
      System.out.printf(Locale.ROOT, "%s: %d of %d guesses right%n", sampling, right, guessed);
      assertTrue(guessed > 50, "guesses: " + guessed);
      assertTrue(right > 0.5 * guessed, right + " of " + guessed);
    }
  }

  /// A guess that the constraint forbids would never be right.
  @Test
  void guessesKeepToAConstraint() throws Exception {
    int[] prompt = model.tokenizer().encode("Once upon a time", false);
    Constraint words = Constraint.regex("( [a-z]{1,9},){40,60}");
    for (int seed = 0; seed < 2; seed++) {
      GenerationOptions options =
          GenerationOptions.of(300, SamplingOptions.standard(seed)).withConstraint(words);
      Generation expected;
      try (LlamaSession session = model.newSession()) {
        expected = session.generate(prompt, options, _ -> {});
      }
      try (Engine engine = model.newEngine(FOUR, draft)) {
        Generation answer = engine.submit(EngineRequest.of(prompt, options), _ -> {}).await();
        assertEquals(expected.tokens(), answer.tokens());
        assertEquals(expected.stop(), answer.stop());
        EngineMetrics metrics = engine.metrics();
        assertTrue(metrics.acceptedTokens() > 0.3 * metrics.guessedTokens(), metrics::toString);
      }
    }
  }

  @Test
  void promptsThatFillTheContextEndThere() throws Exception {
    int[] prompt = new Random(3).ints(model.context() - 30, 3, 500).toArray();
    try (Engine engine = model.newEngine(FOUR.withSequences(1), draft)) {
      GenerationOptions options = GenerationOptions.greedy(100).ignoringEnd();
      Generation g = engine.submit(EngineRequest.of(prompt, options), _ -> {}).await();
      assertEquals(StopReason.CONTEXT_FULL, g.stop());
      assertEquals(31, g.tokens().size());
    }
  }

  @Test
  void whatCannotGuessIsRefused() throws Exception {
    Path file = new SyntheticModel().write(folder.resolve("other.gguf"));
    try (LlamaModel other = LlamaModel.load(file, InvariantScalar.options());
        LlamaModel small = LlamaModel.loadDemo(InvariantScalar.options().withContext(100))) {
      assertEquals(
          "draft model: context=100, expected at least 512, that of the model that it guesses for",
          refusal(model, small));
      String refused = refusal(small, other);
      assertTrue(refused.contains("it needs the same vocabulary"), refused);
    }
    assertEquals(
        "engine: draftTokens=0, expected >= 1",
        assertThrows(LlamaException.class, () -> FOUR.withDraftTokens(0)).getMessage());
  }

  private static String refusal(LlamaModel model, LlamaModel draft) {
    return assertThrows(LlamaException.class, () -> model.newEngine(FOUR, draft)).getMessage();
  }

  @Test
  void anEngineEndsWithItsDraftModel() throws Exception {
    LlamaModel guessing = LlamaModel.loadDemo(InvariantScalar.options());
    Engine engine = model.newEngine(FOUR, guessing);
    Completion endless =
        engine.submit(
            EngineRequest.of(new int[] {5}, GenerationOptions.greedy(500).ignoringEnd()), _ -> {});
    guessing.close();
    assertEquals(StopReason.CANCELLED, endless.await().stop());
    assertThrows(IllegalStateException.class, () -> model.newEngine(FOUR, guessing));
  }
}
