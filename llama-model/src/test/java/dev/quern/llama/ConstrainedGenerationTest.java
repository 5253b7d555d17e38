package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Constraints in sessions and engines.
class ConstrainedGenerationTest {
  private static final Constraint PLACE =
      Constraint.jsonSchema(
          """
          {"type": "object", "required": ["name", "size"], "properties": {
            "name": {"type": "string", "maxLength": 12},
            "size": {"enum": ["small", "large"]},
            "steps": {"type": "integer", "minimum": 1, "maximum": 99}}}\
          """);
  private static final String PLACE_TEXT =
      "\\{\"name\": ?\"([^\"\\\\]|\\\\.){0,12}\", ?\"size\": ?\"(small|large)\"(, ?\"steps\": ?[1-9]\\d?)?}";
  private static final Constraint ANYTHING = Constraint.regex("[\\s\\S]*");

  private static final SamplingOptions DRAWN = new SamplingOptions(1, 0, 1, 0, 1, 64, 7);

  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(options());
  }

  private static LoadOptions options() {
    return LoadOptions.defaults()
        .withThreads(1)
        .withKernels(KernelOptions.fromSystem().with("quern.provider", "scalar"));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private record Text(String text, Generation generation) {}

  private static Text generate(GenerationOptions options) {
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      Generation g = session.generate("Once upon a time", options, text::append);
      return new Text(text.toString(), g);
    }
  }

  private static Text inEngine(EngineOptions engine, GenerationOptions options)
      throws InterruptedException {
    StringBuilder text = new StringBuilder();
    try (Engine e = model.newEngine(engine)) {
      int[] prompt = model.tokenizer().encodePrompt("Once upon a time", false);
      Generation g = e.submit(EngineRequest.of(prompt, options), text::append).await();
      return new Text(text.toString(), g);
    }
  }

  @Test
  void everyTextFitsAndEnds() {
    for (int seed = 0; seed < 20; seed++) {
      Text t = generate(GenerationOptions.of(100, DRAWN.withSeed(seed)).withConstraint(PLACE));
      assertTrue(t.text.matches(PLACE_TEXT), t.text);
      assertEquals(StopReason.END_OF_TEXT, t.generation.stop());
      assertFalse(t.generation.tokens().isEmpty());
    }
  }

  @Test
  void endsWhereNothingMayFollowWithOrWithoutEndTokens() {
    GenerationOptions options =
        GenerationOptions.greedy(100).withConstraint(Constraint.regex("yes|no"));
    Text t = generate(options);
    assertTrue(t.text.matches("yes|no"), t.text);
    assertEquals(StopReason.END_OF_TEXT, t.generation.stop());
    assertEquals(t.text, generate(options.ignoringEnd()).text);
  }

  @Test
  void otherReasonsCutOff() {
    Text t = generate(GenerationOptions.greedy(3).withConstraint(PLACE));
    assertEquals(StopReason.MAX_TOKENS, t.generation.stop());
    assertTrue(t.text.startsWith("{\"n"), t.text);
    Text ignoring =
        generate(
            GenerationOptions.of(40, DRAWN)
                .ignoringEnd()
                .withConstraint(Constraint.regex("[a-z ]*")));
    assertEquals(StopReason.MAX_TOKENS, ignoring.generation.stop());
    assertTrue(ignoring.text.matches("[a-z ]*"), ignoring.text);
  }

  @Test
  void ofAnythingChangesNothing() throws InterruptedException {
    for (SamplingOptions sampling :
        List.of(SamplingOptions.GREEDY, DRAWN, new SamplingOptions(1, 5, 1, 0, 1.2, 64, 7))) {
      GenerationOptions free = GenerationOptions.of(120, sampling).withLogProbabilities(2);
      Text without = generate(free);
      Text with = generate(free.withConstraint(ANYTHING));
      assertEquals(without.text, with.text);
      assertEquals(without.generation.tokens(), with.generation.tokens());
      assertEquals(without.generation.logProbabilities(), with.generation.logProbabilities());
      assertEquals(
          without.text, inEngine(EngineOptions.defaults(), free.withConstraint(ANYTHING)).text);
    }
  }

  @Test
  void completionsBeginAnew() {
    GenerationOptions options = GenerationOptions.of(100, DRAWN).withConstraint(PLACE);
    List<StringBuilder> texts = new ArrayList<>();
    try (LlamaSession session = model.newSession()) {
      session.completions(
          session.encodePrompt("Once"),
          4,
          options,
          _ -> {
            texts.add(new StringBuilder());
            return texts.getLast()::append;
          });
    }
    assertEquals(4, texts.size());
    texts.forEach(t -> assertTrue(t.toString().matches(PLACE_TEXT), t::toString));
    assertNotEquals(texts.get(0).toString(), texts.get(1).toString());
  }

  @Test
  void anEngineWithGuessesSaysTheSame() throws InterruptedException {
    Constraint repeated = Constraint.regex("(\\{\"cat\": [1-9], \"dog\": [1-9]\\}\n){6}");
    for (Constraint constraint : List.of(repeated, PLACE)) {
      GenerationOptions options = GenerationOptions.of(200, DRAWN).withConstraint(constraint);
      Text alone = generate(options);
      Text plain = inEngine(EngineOptions.defaults(), options);
      Text guessed = inEngine(EngineOptions.defaults().withLookup(4), options);
      assertEquals(alone.text, plain.text);
      assertEquals(alone.text, guessed.text);
      assertEquals(StopReason.END_OF_TEXT, guessed.generation.stop());
      assertTrue(constraint == PLACE || guessed.text.lines().count() == 6, guessed.text);
    }
  }

  @Test
  void guessesAreTakenUnderAConstraint() throws InterruptedException {
    Constraint repeated = Constraint.regex("(the cat and the dog, ){9}");
    try (Engine e = model.newEngine(EngineOptions.defaults().withLookup(4))) {
      int[] prompt = model.tokenizer().encodePrompt("Once", false);
      StringBuilder text = new StringBuilder();
      e.submit(
              EngineRequest.of(prompt, GenerationOptions.greedy(400).withConstraint(repeated)),
              text::append)
          .await();
      assertEquals("the cat and the dog, ".repeat(9), text.toString());
      assertTrue(e.metrics().acceptedTokens() > 0);
    }
  }

  @Test
  void biasesCannotBreakIt() {
    int b = model.tokenizer().id("b").orElseThrow();
    SamplingOptions biased = DRAWN.withLogitBias(Map.of(b, 100.0));
    Text t =
        generate(GenerationOptions.of(5, biased).withConstraint(Constraint.regex("[ac]{5,9}")));
    assertTrue(t.text.matches("[ac]+"), t.text);
  }

  @Test
  void stopTokensEndWhereTheTextFits() {
    int eos = model.tokenizer().eos().orElseThrow();
    Text t =
        generate(
            GenerationOptions.of(60, DRAWN.withLogitBias(Map.of(eos, 1e6)))
                .ignoringEnd()
                .withStopTokens(Set.of(eos))
                .withConstraint(Constraint.regex("[a-z]{3,}")));
    assertEquals(StopReason.STOP_TOKEN, t.generation.stop());
    assertTrue(t.text.length() >= 3, t.text);
  }

  @Test
  void aModelWithoutTokensForItIsRefusedFirst(@TempDir Path folder) throws IOException {
    SyntheticModel none = new SyntheticModel().with("tokenizer.ggml.model", null);
    try (LlamaModel m = LlamaModel.load(none.write(folder.resolve("m.gguf")), options());
        LlamaSession session = m.newSession()) {
      GenerationOptions options = GenerationOptions.greedy(5).withConstraint(ANYTHING);
      assertThrows(
          LlamaException.class, () -> session.generateTokens(new int[] {1, 2}, options, _ -> true));
      assertEquals(0, session.position());
    }
    Constraint empty = Constraint.regex("");
    String message =
        assertThrows(
                LlamaException.class,
                () -> generate(GenerationOptions.greedy(5).withConstraint(empty)))
            .getMessage();
    assertEquals(
        "constraint: allows the empty text alone, expected something to generate", message);
  }

  @Test
  void bytesThatNoTokenSpellsAloneAreLeftOut(@TempDir Path folder) throws IOException {
    List<String> pieces = List.of("c", "ac");
    List<String> tokens = new ArrayList<>();
    Path whole = new SyntheticModel().withPieces(pieces).write(folder.resolve("whole.gguf"));
    try (LlamaModel m = LlamaModel.load(whole, options())) {
      for (int id = 0; id < m.tokenizer().vocabularySize(); id++) {
        tokens.add(m.tokenizer().text(id));
      }
    }
    int b = tokens.indexOf("<0x62>");
    tokens.set(b, "bb");
    int[] types = new int[tokens.size()];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 && id != b ? 6 : 1;
    }
    Path without =
        new SyntheticModel()
            .withPieces(pieces)
            .with("tokenizer.ggml.tokens", tokens)
            .with("tokenizer.ggml.token_type", types)
            .write(folder.resolve("b.gguf"));
    try (LlamaModel m = LlamaModel.load(without, options());
        LlamaSession session = m.newSession()) {
      for (int seed = 0; seed < 20; seed++) {
        StringBuilder text = new StringBuilder();
        GenerationOptions options =
            GenerationOptions.of(9, DRAWN.withSeed(seed))
                .withConstraint(Constraint.regex("(a|b|bb)c"));
        session.generate("x", options, text::append);
        assertEquals("ac", text.toString());
      }
      GenerationOptions none = GenerationOptions.greedy(9).withConstraint(Constraint.regex("b+"));
      String message =
          assertThrows(LlamaException.class, () -> session.generate("x", none, _ -> {}))
              .getMessage();
      assertEquals(
          "constraint: no text that fits it can be spelled with this vocabulary, expected one",
          message);
    }
  }
}
