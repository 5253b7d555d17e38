package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.demo.DemoModelFile;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The same model in GGUF, in one safetensors file and in shards: the same logits, to the bit.
class FolderModelTest {
  private static final int TOKENS = 24;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"F32", "F16", "BF16"})
  void tinyLogitsAreThoseOfTheGgufFile(String format) throws Exception {
    String name = "tiny1-" + format + ".gguf";
    Path gguf =
        format.equals("F32")
            ? Path.of(FolderModelTest.class.getResource(name).toURI())
            : SharedFiles.file("models/" + name);
    float[][] expected = logits(gguf);
    assertBits(expected, logits(HuggingFaceFolder.write(gguf, folder.resolve("one"), 1)));
    assertBits(expected, logits(HuggingFaceFolder.write(gguf, folder.resolve("three"), 3)));
  }

  @Test
  void theDemoModelIsTheSameWithItsTextAndChat() throws Exception {
    Path gguf = demo();
    Path one = HuggingFaceFolder.write(gguf, folder.resolve("one"), 1);
    float[][] expected = logits(gguf);
    assertBits(expected, logits(one));
    assertBits(expected, logits(HuggingFaceFolder.write(gguf, folder.resolve("five"), 5)));
    assertEquals(story(gguf), story(one));
    try (LlamaModel a = LlamaModel.load(gguf, options());
        LlamaModel b = LlamaModel.load(one, options())) {
      assertEquals(a.tokenizer().endOfGeneration(), b.tokenizer().endOfGeneration());
      assertEquals(a.tokenizer().bos(), b.tokenizer().bos());
      assertEquals(a.tokenizer().eos(), b.tokenizer().eos());
      assertEquals("one", b.config().name());
      assertEquals(a.report().text(), LlamaModel.explain(one, options()).text());
    }
    assertEquals(
        LlamaModel.loadTokenizer(gguf).vocabularySize(),
        LlamaModel.loadTokenizer(one).vocabularySize());
  }

  /// Rows in the container's own order, rotated as the container means it, give the same model up
  /// to rounding only: that is why they are reordered.
  @Test
  void rowsThatAreNotReorderedGiveAnotherModel() throws Exception {
    Path gguf = demo();
    Path swapped = HuggingFaceFolder.write(gguf, folder.resolve("swapped"), 1);
    // Meta's names promise the order of neighbours: the same bytes under those names are wrong.
    MetaFolder.renameFromHuggingFace(swapped);
    float[][] wrong = logits(swapped);
    double nmse = ReferenceLogits.nmse(wrong[TOKENS - 1], doubles(logits(gguf)[TOKENS - 1]));
    assertTrue(nmse > 1e-3, "NMSE " + nmse);
  }

  private Path demo() throws IOException {
    Path gguf = folder.resolve("demo.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.write(gguf, in.readAllBytes());
    }
    return gguf;
  }

  private static String story(Path model) throws IOException {
    StringBuilder text = new StringBuilder();
    try (LlamaModel loaded = LlamaModel.load(model, options());
        LlamaSession session = loaded.newSession()) {
      session.generate("Once upon a time", GenerationOptions.greedy(40), text::append);
    }
    return text.toString();
  }

  static float[][] logits(Path model) throws IOException {
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel loaded = LlamaModel.load(model, options());
        LlamaSession session = loaded.newSession()) {
      int vocabulary = loaded.config().vocabulary();
      int[] tokens = IntStream.range(0, TOKENS).map(i -> (i * 37 + 11) % vocabulary).toArray();
      session.evaluate(tokens, row -> logits.add(row.clone()));
    }
    return logits.toArray(float[][]::new);
  }

  private static void assertBits(float[][] expected, float[][] actual) {
    assertEquals(TOKENS, expected.length);
    for (int t = 0; t < TOKENS; t++) {
      assertArrayEquals(expected[t], actual[t], "after token " + t);
    }
  }

  private static double[] doubles(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  static LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", "scalar");
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }
}
