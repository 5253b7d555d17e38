package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/// A session's text goes on where the last call ended, in both kinds of vocabulary.
class ContinuationTest {
  /// Of the SentencePiece vocabulary; U+2581 is its space.
  private static final List<String> PIECES =
      List.of(
          "▁o", "▁on", "▁t", "▁ti", "me", "▁time", "ce", "▁", "o", "n", "t", "i", "m", "e", "c",
          ".");

  private static Path folder;
  private static LlamaModel pieces; // SentencePiece
  private static LlamaModel bytes; // byte-level BPE without merges
  private static LlamaModel demo;

  @BeforeContainer
  static void load() throws IOException {
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(1)
            .withBatch(5)
            .withKernels(KernelOptions.fromSystem().with("quern.provider", "scalar"));
    folder = Files.createTempDirectory("quern-continuation");
    pieces =
        LlamaModel.load(
            new SyntheticModel().withPieces(PIECES).write(folder.resolve("pieces.gguf")), options);
    bytes = LlamaModel.load(new SyntheticModel().write(folder.resolve("bytes.gguf")), options);
    demo = LlamaModel.loadDemo(options);
  }

  @AfterContainer
  static void close() throws IOException {
    for (LlamaModel model : List.of(pieces, bytes, demo)) {
      model.close();
    }
    Files.delete(folder.resolve("pieces.gguf"));
    Files.delete(folder.resolve("bytes.gguf"));
    Files.delete(folder);
  }

  @Provide
  Arbitrary<LlamaModel> models() {
    return Arbitraries.of(pieces, bytes, demo);
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of("once", " ", "ti", "me", " on", "e", "t", ".", "é", "😀", "\n")
        .list()
        .ofMaxSize(4)
        .map(parts -> String.join("", parts));
  }

  @Property(tries = 60)
  void tokensDontDependOnHowManyCallsTheyTake(
      @ForAll("models") LlamaModel model,
      @ForAll("texts") String prompt,
      @ForAll @IntRange(max = 9) int n,
      @ForAll @IntRange(max = 9) int m) {
    StringBuilder whole = new StringBuilder();
    StringBuilder parts = new StringBuilder();
    try (LlamaSession once = model.newSession();
        LlamaSession twice = model.newSession()) {
      GenerationOptions both = GenerationOptions.greedy(n + m).ignoringEnd();
      final List<Integer> expected = once.generate(prompt, both, whole::append).tokens();
      List<Integer> actual = new ArrayList<>();
      actual.addAll(twice.generate(prompt, both.withMaxTokens(n), parts::append).tokens());
      actual.addAll(twice.generate("", both.withMaxTokens(m), parts::append).tokens());
      assertEquals(expected, actual);
      assertEquals(whole.toString(), parts.toString());
    }
  }

  /// The parts of a prompt join as they are, and so does what is generated behind them.
  @Property(tries = 100)
  void partsOfAPromptJoin(
      @ForAll("models") LlamaModel model,
      @ForAll("texts") String first,
      @ForAll("texts") String second) {
    StringBuilder text = new StringBuilder(first).append(second);
    try (LlamaSession session = model.newSession()) {
      session.generate(first, GenerationOptions.greedy(0), t -> {});
      int[] ids = session.encodePrompt(second);
      Generation generation =
          session.generate(second, GenerationOptions.greedy(4).ignoringEnd(), text::append);
      assertEquals(ids.length, generation.promptTokens());
      int prompt = session.position() - Math.max(0, generation.tokens().size() - 1);
      int[] all =
          IntStream.concat(
                  Arrays.stream(session.history()).limit(prompt),
                  generation.tokens().stream().mapToInt(Integer::intValue))
              .toArray();
      String decoded = model.tokenizer().decode(all);
      assertTrue(decoded.startsWith(text.toString()), decoded + " does not begin with " + text);
      assertEquals(1, Arrays.stream(all).limit(prompt).filter(id -> id == bos(model)).count());
    }
  }

  @Example
  void aWordIsContinuedInItsMiddle() {
    try (LlamaSession session = pieces.newSession()) {
      session.generate("on ti", GenerationOptions.greedy(0), t -> {});
      session.generate("me.", GenerationOptions.greedy(0), t -> {});
      assertArrayEquals(
          ids(pieces, "<s>", "▁on", "▁ti", "me", "."), session.history(), "parts within a word");
      session.generate(" on", GenerationOptions.greedy(0), t -> {});
      assertEquals("on time. on", pieces.tokenizer().decode(session.history()));
    }
  }

  /// Tokens are those of the whole where one begins between the parts.
  @Example
  void partsThatTokensBeginWithGiveTheTokensOfTheWhole() {
    for (LlamaModel model : List.of(pieces, demo)) {
      try (LlamaSession session = model.newSession()) {
        int[] whole = session.encodePrompt("once on time");
        session.generate("once on", GenerationOptions.greedy(0), t -> {});
        session.generate(" time", GenerationOptions.greedy(0), t -> {});
        assertArrayEquals(whole, session.history());
      }
    }
  }

  @Example
  void behindASpecialTokenTextBeginsAnew() {
    try (LlamaSession session = pieces.newSession()) {
      session.generate("", GenerationOptions.greedy(0), t -> {}); // <s>
      session.generate("on", GenerationOptions.greedy(0), t -> {});
      assertArrayEquals(ids(pieces, "<s>", "▁on"), session.history());
      session.generate(ids(pieces, "</s>"), GenerationOptions.greedy(0), t -> {});
      assertArrayEquals(ids(pieces, "▁on"), session.encodePrompt("on"));
    }
  }

  @Example
  void rewindingKeepsTheTextsEdges() {
    try (LlamaSession session = pieces.newSession()) {
      session.generate("on ti", GenerationOptions.greedy(3).ignoringEnd(), t -> {});
      session.rewind(3);
      assertArrayEquals(ids(pieces, "me"), session.encodePrompt("me"));
      session.rewind(0);
      assertArrayEquals(ids(pieces, "<s>", "▁on"), session.encodePrompt("on"));
    }
  }

  @Example
  void specialTokensAreReadWhereAsked() {
    try (LlamaSession session = bytes.newSession()) {
      int bos = SyntheticModel.FIRST_SPECIAL;
      String text = "<|begin_of_text|>A<|eot_id|>";
      assertArrayEquals(new int[] {bos, 'A', bos + 4}, session.encodePrompt(text, true));
      assertArrayEquals(new int[] {bos, 'A', bos + 4}, session.encodePrompt("A<|eot_id|>", true));
      assertEquals(1 + text.length(), session.encodePrompt(text, false).length);
      session.generate(session.encodePrompt(text, true), GenerationOptions.greedy(0), t -> {});
      assertArrayEquals(new int[] {bos + 4, 'B'}, session.encodePrompt("<|eot_id|>B", true));
    }
  }

  /// A token that waits for what follows is run once, whatever follows.
  @Example
  void evaluateTakesThePendingTokenIn() {
    try (LlamaSession session = demo.newSession();
        LlamaSession other = demo.newSession()) {
      Generation generation = session.generate("Once", GenerationOptions.greedy(3), t -> {});
      session.evaluate(new int[] {7}, logits -> {});
      int[] history = session.history();
      assertEquals(7, history[history.length - 1]);
      assertEquals(generation.tokens().get(2), history[history.length - 2]);
      assertEquals(
          other.generate(history, GenerationOptions.greedy(5), t -> {}).tokens(),
          session.generate("", GenerationOptions.greedy(5), t -> {}).tokens());
    }
  }

  @Example
  void afterTheEndASessionGoesOnFromItsText() {
    try (LlamaSession session = demo.newSession()) {
      Generation story =
          session.generate("Once upon a time", GenerationOptions.greedy(400), t -> {});
      assertEquals(StopReason.END_OF_TEXT, story.stop());
      Generation more = session.generate("", GenerationOptions.greedy(1), t -> {});
      assertEquals(StopReason.END_OF_TEXT, more.stop());
    }
  }

  @Example
  void nothingToGoOnFromIsRefused() throws IOException {
    Path file =
        new SyntheticModel()
            .with("tokenizer.ggml.add_bos_token", false)
            .write(folder.resolve("no-bos.gguf"));
    try (LlamaModel model = LlamaModel.load(file, LoadOptions.defaults().withThreads(1));
        LlamaSession session = model.newSession()) {
      LlamaException refused =
          assertThrows(
              LlamaException.class,
              () -> session.generate("", GenerationOptions.greedy(1), t -> {}));
      assertEquals("prompt: no tokens, expected at least one to go on from", refused.getMessage());
    } finally {
      Files.delete(file);
    }
  }

  private static int bos(LlamaModel model) {
    return model.tokenizer().bos().orElseThrow();
  }

  private static int[] ids(LlamaModel model, String... tokens) {
    return Arrays.stream(tokens).mapToInt(t -> model.tokenizer().id(t).orElseThrow()).toArray();
  }
}
