package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Blame;
import dev.quern.QuernException;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/// What servers ask of engines: pieces with their tokens, a hook on logits, completions of one
/// prompt.
@Timeout(120)
class EngineRequestsTest {
  private static final EngineOptions FOUR =
      EngineOptions.defaults().withSequences(4).withPromptRows(7);

  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(InvariantScalar.options());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static GenerationOptions drawn(int seed, int tokens) {
    return GenerationOptions.of(tokens, SamplingOptions.standard(seed)).ignoringEnd();
  }

  private static int[] once() {
    return model.tokenizer().encodeBeginning("Once upon a time", false);
  }

  private static Generation alone(int[] prompt, GenerationOptions options) {
    try (LlamaSession session = model.newSession()) {
      return session.generate(prompt, options, _ -> {});
    }
  }

  /// Several completions of one prompt, at once: it is run once.
  @Test
  void aPromptThatIsBeingRunIsNotRunAgain() throws Exception {
    int[] prompt = new Random(17).ints(60, 3, 500).toArray();
    List<List<Integer>> expected = new ArrayList<>();
    for (int seed = 0; seed < 6; seed++) {
      expected.add(alone(prompt, drawn(seed, 5 + seed)).tokens());
    }
    for (boolean cancels : new boolean[] {false, true}) { // who follows goes on without a leader
      try (Engine engine = model.newEngine(FOUR)) {
        List<Completion> all = new ArrayList<>();
        for (int seed = 0; seed < 6; seed++) {
          all.add(engine.submit(EngineRequest.of(prompt, drawn(seed, 5 + seed)), _ -> {}));
        }
        if (cancels) {
          all.get(0).cancel();
          all.get(2).cancel();
        }
        for (int i = 0; i < 6; i++) {
          List<Integer> tokens = all.get(i).await().tokens();
          assertTrue(tokens.equals(expected.get(i)) || cancels && i % 2 == 0, "request " + i);
        }
        assertTrue(cancels || engine.metrics().cachedTokens() == 5 * 59);
      }
    }
  }

  /// All pieces together are the text and the tokens; each has the tokens that its text completes.
  @Test
  void piecesHaveTheirTokens() throws Exception {
    for (List<String> stops : List.of(List.<String>of(), List.of("zzz", "the end of"))) {
      GenerationOptions options = drawn(3, 60).withLogProbabilities(1).withStopStrings(stops);
      List<Piece> pieces = new ArrayList<>();
      List<Generation> ends = new ArrayList<>();
      Generation generation;
      try (Engine engine = model.newEngine(FOUR)) {
        generation =
            engine
                .submitPieces(
                    EngineRequest.of(once(), options),
                    new PieceListener() {
                      @Override
                      public void accept(Piece piece) {
                        pieces.add(piece);
                      }

                      @Override
                      public void end(Generation end) {
                        ends.add(end);
                      }
                    })
                .await();
      }
      assertEquals(List.of(generation), ends);
      assertEquals(generation.tokens(), pieces.stream().flatMap(p -> p.tokens().stream()).toList());
      assertEquals(
          generation.logProbabilities(),
          pieces.stream().flatMap(p -> p.logProbabilities().stream()).toList());
      StringBuilder text = new StringBuilder();
      StringBuilder whole = new StringBuilder();
      for (Piece p : pieces) {
        text.append(p.text());
        for (int token : p.tokens()) {
          whole.append(new String(model.tokenizer().bytes(token), StandardCharsets.UTF_8));
        }
        if (!p.tokens().isEmpty()) {
          assertEquals(whole.toString(), text.toString());
        }
      }
    }
  }

  /// Tokens that a stop string has part in are in no piece.
  @Test
  void aStopStringsTokensAreInNoPiece() throws Exception {
    Generation whole = alone(once(), drawn(3, 60));
    String text = model.tokenizer().decode(ids(whole.tokens()));
    String stop = text.substring(text.length() / 2, text.length() / 2 + 6);
    List<Piece> pieces = new ArrayList<>();
    Generation stopped;
    try (Engine engine = model.newEngine(FOUR)) {
      stopped =
          engine
              .submitPieces(
                  EngineRequest.of(once(), drawn(3, 60).withStopStrings(stop)), pieces::add)
              .await();
    }
    assertEquals(StopReason.STOP_STRING, stopped.stop());
    String heard = pieces.stream().map(Piece::text).collect(Collectors.joining());
    assertTrue(text.strip().startsWith(heard.strip()) && !heard.contains(stop), heard);
    List<Integer> tokens = pieces.stream().flatMap(p -> p.tokens().stream()).toList();
    assertEquals(stopped.tokens().subList(0, tokens.size()), tokens);
    String oneMore = model.tokenizer().decode(ids(stopped.tokens().subList(0, tokens.size() + 1)));
    assertTrue(oneMore.strip().length() > heard.strip().length());
  }

  private static int[] ids(List<Integer> tokens) {
    return tokens.stream().mapToInt(t -> t).toArray();
  }

  /// It forbids what was said lately, and hears of each token in its turn, guessed or not.
  @Test
  void aHookSeesEachTokenInItsTurn() throws Exception {
    for (GenerationOptions options :
        List.of(
            GenerationOptions.greedy(60).ignoringEnd(),
            drawn(5, 60),
            drawn(5, 60).withConstraint(Constraint.regex("[a-z ]*")))) {
      List<List<Integer>> heard = new ArrayList<>();
      LogitsHook hook =
          (tokens, logits) -> {
            assertEquals(model.config().vocabulary(), logits.length);
            heard.add(Arrays.stream(tokens).boxed().toList());
            for (int i = Math.max(0, tokens.length - 9); i < tokens.length; i++) {
              logits[tokens[i]] -= 3;
            }
          };
      Generation without = alone(once(), options);
      Generation session = alone(once(), options.withLogitsHook(hook).withLogProbabilities(0));
      assertTrue(!without.tokens().equals(session.tokens()));
      assertEquals(session.tokens().size(), heard.size());
      List<Integer> all = new ArrayList<>(Arrays.stream(once()).boxed().toList());
      for (int i = 0; i < heard.size(); i++) {
        assertEquals(all, heard.get(i));
        all.add(session.tokens().get(i));
      }
      List<List<Integer>> alone = List.copyOf(heard);
      for (EngineOptions guessing : List.of(FOUR, FOUR.withLookup(4))) {
        heard.clear();
        try (Engine engine = model.newEngine(guessing)) {
          EngineRequest request = EngineRequest.of(once(), options.withLogitsHook(hook));
          assertEquals(session.tokens(), engine.submit(request, _ -> {}).await().tokens());
        }
        assertEquals(alone, heard);
      }
      try (Engine engine = model.newEngine(FOUR, model)) {
        heard.clear();
        EngineRequest request = EngineRequest.of(once(), options.withLogitsHook(hook));
        assertEquals(session.tokens(), engine.submit(request, _ -> {}).await().tokens());
        assertEquals(alone, heard);
      }
    }
  }

  /// Whatever it throws or makes of the logits is its request's alone.
  @Test
  void aHooksMistakeIsItsRequestsAlone() throws Exception {
    IllegalStateException mistake = new IllegalStateException("mine");
    AssertionError error = new AssertionError("mine too");
    GenerationOptions options = drawn(5, 30);
    Generation expected = alone(once(), options);
    try (Engine engine = model.newEngine(FOUR)) {
      Completion good = engine.submit(EngineRequest.of(once(), options), _ -> {});
      Completion throwing = submit(engine, options.withLogitsHook((t, _) -> fail(t, mistake)));
      Completion failing =
          submit(
              engine,
              options.withLogitsHook((_, _) -> {
                throw error;
              }));
      Completion none = submit(engine, options.withLogitsHook((_, l) -> l[7] = Float.NaN));
      Completion all =
          submit(engine, options.withLogitsHook((_, l) -> Arrays.fill(l, Float.NEGATIVE_INFINITY)));
      int a = model.tokenizer().encode("a", false)[0];
      Completion both =
          submit(
              engine,
              options
                  .withConstraint(Constraint.regex("[^a-z].*"))
                  .withLogitsHook((_, l) -> {
                    Arrays.fill(l, Float.NEGATIVE_INFINITY);
                    l[a] = 1;
                  }));
      assertSame(mistake, assertThrows(IllegalStateException.class, throwing::await));
      assertSame(error, assertThrows(AssertionError.class, failing::await));
      LlamaException nan = assertThrows(RequestException.class, none::await);
      assertEquals(
          "logits hook: made the logit of token 7 NaN, expected a finite number, or -Infinity to forbid the token",
          nan.getMessage());
      assertEquals(Blame.CALLER, nan.blame());
      assertTrue(
          assertThrows(RequestException.class, all::await).getMessage().contains("all tokens,"));
      assertTrue(
          assertThrows(RequestException.class, both::await)
              .getMessage()
              .contains("that the constraint allows"));
      assertEquals(expected.tokens(), good.await().tokens());
    }
    try (LlamaSession session = model.newSession()) {
      LogitsHook hook = (t, _) -> fail(t, mistake);
      assertSame(
          mistake,
          assertThrows(
              IllegalStateException.class,
              () -> session.generate(once(), options.withLogitsHook(hook), _ -> {})));
    }
  }

  /// Whatever is wrong with a request is under one root, and says that it is the caller's.
  @Test
  void whatIsWrongWithARequestIsItsCallers() throws Exception {
    GenerationOptions options = GenerationOptions.greedy(5);
    SamplingOptions greedy = SamplingOptions.GREEDY;
    try (Engine engine = model.newEngine(FOUR)) {
      List<Executable> wrong =
          List.of(
              () -> new SamplingOptions(-1, 0, 1, 0, 1, 64, 0),
              () -> new SamplingOptions(1, 0, 2, 0, 1, 64, 0),
              () -> greedy.withPenalties(1000, 0),
              () -> greedy.withTypicalP(0),
              () -> greedy.withLogitBias(Map.of(-1, 1.0)),
              () -> submit(engine, options.withSampling(greedy.withLogitBias(Map.of(9999, 1.0)))),
              () -> engine.submit(EngineRequest.of(new int[0], options), _ -> {}),
              () -> engine.submit(EngineRequest.of(new int[] {9999}, options), _ -> {}),
              () -> engine.submit(EngineRequest.of(new int[5000], options), _ -> {}),
              () -> options.withMaxTokens(-1),
              () -> options.withLogProbabilities(-1),
              () -> options.withStopStrings(""),
              () -> Constraint.regex("("),
              () -> Constraint.jsonSchema("{\"type\": \"string\", \"minProperties\": 1}"),
              () -> Constraint.jsonSchema("{"),
              () -> submit(engine, options.withConstraint(Constraint.token("<none>"))),
              () -> submit(engine, options.withConstraint(Constraint.text(""))),
              () -> ChatMessage.user("x").with("role", "y"),
              () -> ChatMessage.user("x").with("y", new Object()),
              () -> ChatMessage.ToolCall.of("", "f", "[]"),
              () -> ChatOptions.defaults().withVariable("tools", 1),
              () -> ChatOptions.defaults().withTool("no"));
      for (int i = 0; i < wrong.size(); i++) {
        QuernException e = assertThrows(QuernException.class, wrong.get(i), "case " + i);
        assertEquals(Blame.CALLER, e.blame(), e.getMessage());
        assertTrue(e.getMessage().lines().count() == 1, e.getMessage());
      }
      EngineRequest soon = EngineRequest.of(once(), options).withDeadline(Duration.ZERO);
      assertEquals(StopReason.DEADLINE, engine.submit(soon, _ -> {}).await().stop());
      EngineRequest late = soon.withDeadline(Duration.ofSeconds(Long.MAX_VALUE));
      assertEquals(5, engine.submit(late, _ -> {}).await().tokens().size());
    }
  }

  private static Completion submit(Engine engine, GenerationOptions options) {
    return engine.submit(EngineRequest.of(once(), options), _ -> {});
  }

  /// After a few tokens.
  private static void fail(int[] tokens, RuntimeException mistake) {
    if (tokens.length > once().length + 4) {
      throw mistake;
    }
  }
}
