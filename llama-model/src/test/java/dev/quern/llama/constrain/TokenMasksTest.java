package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// A mask has the tokens that a look at each of them finds.
class TokenMasksTest {
  private static final List<String> SCHEMAS =
      List.of(
          "{\"type\": \"string\", \"maxLength\": 30}",
          "{\"type\": \"string\", \"minLength\": 9, \"maxLength\": 13}",
          "{\"items\": {\"type\": [\"null\", \"number\", \"string\"]}}",
          "{\"properties\": {\"größe\": {\"minimum\": 3}, \"b\": {\"pattern\": \"^[^e]*$\"}}}");

  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1))) {
      tokenizer = model.tokenizer();
    }
  }

  private static List<Constraint> constraints() {
    List<Constraint> all = new ArrayList<>();
    all.add(Constraint.jsonObject());
    all.add(Constraint.regex("[^e]*"));
    all.add(Constraint.regex("([a-z]{3,9} )*(é|日本|😀)?\\.?"));
    SCHEMAS.forEach(s -> all.add(Constraint.jsonSchema(s)));
    return all;
  }

  @Test
  void hasWhatALookAtEachTokenFinds() {
    int severalBytes = 0;
    for (Constraint constraint : constraints()) {
      for (int seed = 0; seed < 5; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        ConstraintState state = constraint.start(tokenizer, tokenizer.endOfGeneration());
        List<Integer> text = new ArrayList<>();
        for (int i = 0; i < 50 && !state.isComplete(); i++) {
          long[] mask = state.allowed().clone();
          for (int token = 0; token < tokenizer.vocabularySize(); token++) {
            boolean allowed = (mask[token / 64] >>> token & 1) != 0;
            assertEquals(
                mayFollow(constraint, text, token), allowed, constraint + " token " + token);
            severalBytes += allowed && tokenizer.bytes(token).length > 1 ? 1 : 0;
          }
          int token = drawn(mask, random);
          if (tokenizer.isEndOfGeneration(token)) {
            break;
          }
          text.add(token);
          state.accept(token);
        }
      }
    }
    assertTrue(severalBytes > 10_000, severalBytes + " of several bytes");
  }

  /// By a look at the token alone.
  private static boolean mayFollow(Constraint constraint, List<Integer> text, int token) {
    ConstraintState state = constraint.start(tokenizer, tokenizer.endOfGeneration());
    text.forEach(state::accept);
    if (tokenizer.isEndOfGeneration(token)) {
      return state.isAccepting();
    }
    if (tokenizer.isHidden(token)) {
      return false;
    }
    try {
      state.accept(token);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static int drawn(long[] mask, SplittableRandom random) {
    int[] allowed =
        IntStream.range(0, tokenizer.vocabularySize())
            .filter(t -> (mask[t / 64] >>> t & 1) != 0)
            .toArray();
    assertTrue(allowed.length > 0);
    return allowed[random.nextInt(allowed.length)];
  }

  @Test
  void hiddenTokensAreNoText() {
    ConstraintState state =
        Constraint.regex("[\\s\\S]*").start(tokenizer, tokenizer.endOfGeneration());
    int bos = tokenizer.bos().orElseThrow();
    assertThrows(IllegalArgumentException.class, () -> state.accept(bos));
    assertEquals(0, state.allowed()[bos / 64] >>> bos & 1);
  }

  @Test
  void statesAreForgottenAndMadeAnew() {
    int most = 45_000; // more than are kept, twice
    Language language = new Language(RegexParser.parse("[a-z]{" + most + "}"));
    assertTrue(language.has("a".repeat(most)));
    assertTrue(language.has("b".repeat(most)));
    assertFalse(language.has("a".repeat(most - 1)));
    assertFalse(language.has("a".repeat(most) + "a"));
  }

  @Test
  void manyWaysAreCutToSomeThatCanBeCompleted() {
    Language language = new Language(RegexParser.parse("[ab]*a[ab]{2000}c"));
    String random = "abba".repeat(900);
    assertTrue(language.has("a" + "b".repeat(2000) + "c"));
    SplittableRandom seeds = new SplittableRandom(3);
    for (int i = 0; i < 3; i++) { // no dead end, which text() would throw at
      language.text(seeds, 6000).ifPresent(t -> assertTrue(t.matches("[ab]*a[ab]{2000}c")));
    }
    assertFalse(language.has(random));
  }

  @Test
  void threadsShareAConstraint() throws Exception {
    Constraint constraint = Constraint.jsonSchema(SCHEMAS.getLast());
    List<Future<List<Integer>>> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 16; i++) {
        int seed = i % 4;
        all.add(threads.submit(() -> walk(constraint, seed)));
      }
    }
    for (int i = 4; i < 16; i++) {
      assertEquals(all.get(i % 4).get(), all.get(i).get());
    }
  }

  private static List<Integer> walk(Constraint constraint, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    ConstraintState state = constraint.start(tokenizer, tokenizer.endOfGeneration());
    List<Integer> text = new ArrayList<>();
    while (text.size() < 60 && !state.isComplete()) {
      int token = drawn(state.allowed(), random);
      text.add(token);
      if (tokenizer.isEndOfGeneration(token)) {
        break;
      }
      state.accept(token);
    }
    return text;
  }
}
