package dev.quern.llama.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.BlockFormat;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.WorkerPool;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whole files: against llama-quantize's, and what is refused.
class ModelQuantizerTest {
  private static final String EMBEDDING = "token_embd.weight";

  @TempDir Path folder;

  /// The other file is llama-quantize's, with all tensors in one type.
  @ParameterizedTest
  @CsvSource({"q4_0, Q4_0", "q6_k, Q6_K", "q8_0, Q8_0"})
  void everyMatrixOfTiny1HasTheBytesOfLlamaQuantize(String scheme, String type) throws Exception {
    String name = "tiny1-" + type + ".gguf";
    Path theirs = type.equals("Q8_0") ? SharedFiles.file("models/" + name) : resource(name);
    WeightScheme all = WeightScheme.of(scheme);
    Path ours = quantize(tiny1(), new QuantizeOptions(all, 32, Optional.of(all), Optional.empty()));
    assertEquals(15, equalMatrices(ours, theirs));
  }

  /// llama-quantize's own mix: the classifier in Q8_0, since its width is no multiple of 256. What
  /// has no fitting width is F16 there and F32 here.
  @ParameterizedTest
  @CsvSource({"q4_0, Q4_0", "q8_0, Q8_0"})
  void everyMatrixOfStories260KHasTheBytesOfLlamaQuantize(String scheme, String type)
      throws Exception {
    Path source = SharedFiles.file("models/stories260K.gguf");
    Path theirs = SharedFiles.file("models/stories260K-" + type + ".gguf");
    Path ours = quantize(source, QuantizeOptions.of(scheme, 32));
    assertEquals(32, equalMatrices(ours, theirs));
    try (GgufFile file = GgufFile.open(ours)) {
      assertEquals(BlockFormat.Q8_0, file.tensor("output.weight").format().orElseThrow());
      assertEquals(BlockFormat.F32, file.tensor("blk.0.ffn_down.weight").format().orElseThrow());
    }
  }

  /// Bounds: what was measured, rounded up.
  @ParameterizedTest
  @CsvSource({
    "f16, 32, 1e-5",
    "q8_0, 32, 2e-3",
    "int8-channel, 32, 3e-3",
    "int4-block, 32, 0.15",
    "int4-block, 64, 0.2",
    "int4-block, 128, 0.2",
    "int4-block, 256, 0.2"
  })
  void theQuantizedModelRuns(String scheme, int group, double bound) throws Exception {
    Path file = quantize(tiny1(), QuantizeOptions.of(scheme, group));
    int[] tokens = {1, 5, 9, 100, 200, 300, 400, 17, 33, 2};
    List<float[]> expected = logits(tiny1(), tokens);
    List<float[]> actual = logits(file, tokens);
    double error = 0;
    double square = 0;
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < expected.get(t).length; i++) {
        double difference = actual.get(t)[i] - expected.get(t)[i];
        error += difference * difference;
        square += (double) expected.get(t)[i] * expected.get(t)[i];
      }
    }
    assertTrue(error < bound * square, "NMSE " + error / square);
    assertTrue(error > 0);
  }

  @ParameterizedTest
  @CsvSource({"q4_0", "q6_k", "int4-block", "int8-channel"})
  void theFileDoesNotDependOnTheNumberOfThreads(String scheme) throws Exception {
    QuantizeOptions options = QuantizeOptions.of(scheme, 64);
    byte[] one = Files.readAllBytes(quantize(tiny1(), options, 1));
    assertArrayEquals(one, Files.readAllBytes(quantize(tiny1(), options, 3)));
  }

  @Test
  void metadataAndNormsComeAlongAndFileKeysDoNot() throws Exception {
    Path file = quantize(tiny1(), QuantizeOptions.of("int4-block", 128));
    try (GgufFile source = GgufFile.open(tiny1());
        GgufFile made = GgufFile.open(file)) {
      for (String key : source.metadata().keys()) {
        if (!key.equals("general.file_type")) {
          assertEquals(source.metadata().describe(key), made.metadata().describe(key));
        }
      }
      assertFalse(made.metadata().has("general.file_type"));
      assertEquals(
          "int4-block 128, classifier int8-channel, embedding int8-channel",
          made.metadata().string("quern.quantized").orElseThrow());
      for (GgufTensor t : source.tensors()) {
        if (t.dims().length == 1) {
          assertArrayEquals(source.vector(t), made.vector(made.tensor(t.name())));
        } else {
          BlockFormat expected =
              t.name().equals(EMBEDDING) ? BlockFormat.INT8_C : BlockFormat.INT4_B128;
          assertEquals(expected, made.tensor(t.name()).format().orElseThrow(), t.name());
          assertArrayEquals(t.dims(), made.tensor(t.name()).dims());
        }
      }
    }
  }

  @Test
  void thePlanSaysHowLargeTheTensorsWillBe() throws Exception {
    try (Checkpoint source = Checkpoint.open(tiny1())) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of("int4-block", 32));
      Path file = folder.resolve("size.gguf");
      List<Long> heard = new ArrayList<>();
      try (WorkerPool workers = new WorkerPool(2)) {
        new ModelQuantizer(source, workers, heard::add).write(plan, file);
      }
      try (GgufFile made = GgufFile.open(file)) {
        assertEquals(plan.bytes(), made.tensors().stream().mapToLong(GgufTensor::byteSize).sum());
      }
      try (Checkpoint made = Checkpoint.open(file)) {
        long bytes = made.tensors().stream().mapToLong(Checkpoint.Tensor::byteSize).sum();
        assertEquals(plan.bytes(), bytes, "scales included");
      }
      assertEquals(heard.stream().sorted().toList(), heard);
      assertEquals(plan.bytes(), heard.getLast());
    }
  }

  @Test
  void aWidthThatNoBlockFitsKeepsItsFormatAndIsCounted() throws Exception {
    Path source = model(48, 32, 1f);
    try (Checkpoint opened = Checkpoint.open(source)) {
      QuantizePlan plan = QuantizePlan.of(opened, QuantizeOptions.of("q8_0", 32));
      assertEquals(48.0 / (48 + 2 * 64), plan.unfitShare(), 1e-9);
      assertTrue(plan.applies());
      assertTrue(QuantizePlan.of(opened, QuantizeOptions.of("int4-block", 64)).applies());
      assertFalse(QuantizePlan.of(opened, QuantizeOptions.of("int4-block", 128)).applies());
    }
    refused(source, QuantizeOptions.of("int4-block", 128), "no matrix can become INT4_B128");
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity", "-Infinity"})
  void aWeightThatIsNotFiniteIsRefused(float value) throws Exception {
    refused(model(64, 2, value), QuantizeOptions.of("q8_0", 32), "expected a finite weight");
  }

  @Test
  void aWeightTooLargeForTheScaleIsRefusedWithTensorAndRow() throws Exception {
    Path source = model(64, 2, 1e38f);
    refused(source, QuantizeOptions.of("q4_0", 32), "tensor blk.0.attn_q.weight, row 1, as Q4_0");
  }

  @Test
  void whatIsQuantizedAlreadyIsRefused() throws Exception {
    refused(resource("tiny1-Q4_0.gguf"), QuantizeOptions.of("q8_0", 32), "quantize the original");
    Path once = quantize(tiny1(), QuantizeOptions.of("int4-block", 32));
    refused(once, QuantizeOptions.of("q8_0", 32), "quantize the original");
  }

  @Test
  void tiedEmbeddingsAreOneMatrixAndOneFormat() throws Exception {
    WeightScheme int4 = WeightScheme.of("int4-block");
    Optional<WeightScheme> q8 = Optional.of(WeightScheme.of("q8_0"));
    Optional<WeightScheme> f16 = Optional.of(WeightScheme.of("f16"));
    refused(tiny1(), new QuantizeOptions(int4, 32, q8, f16), "embeddings are tied");
    for (QuantizeOptions options :
        List.of(
            new QuantizeOptions(int4, 32, q8, Optional.empty()),
            new QuantizeOptions(int4, 32, Optional.empty(), q8),
            new QuantizeOptions(int4, 32, q8, q8))) {
      try (GgufFile made = GgufFile.open(quantize(tiny1(), options))) {
        assertEquals(BlockFormat.Q8_0, made.tensor(EMBEDDING).format().orElseThrow());
      }
    }
  }

  @Test
  void unknownSchemesAndGroupsAreRefused() {
    assertTrue(
        assertThrows(LlamaException.class, () -> WeightScheme.of("q5_x"))
            .getMessage()
            .contains("int4-block, q4_0"));
    assertTrue(
        assertThrows(LlamaException.class, () -> QuantizeOptions.of("int4-block", 48))
            .getMessage()
            .contains("32, 64, 128 or 256"));
  }

  private void refused(Path source, QuantizeOptions options, String part) throws IOException {
    Path file = folder.resolve("refused.gguf");
    String before = files();
    LlamaException e =
        assertThrows(
            LlamaException.class,
            () -> {
              try (Checkpoint opened = Checkpoint.open(source);
                  WorkerPool workers = new WorkerPool(2)) {
                new ModelQuantizer(opened, workers, bytes -> {})
                    .write(QuantizePlan.of(opened, options), file);
              }
            });
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
    assertEquals(before, files(), "nothing is left behind");
  }

  private String files() throws IOException {
    try (Stream<Path> list = Files.list(folder)) {
      return list.sorted().toList().toString();
    }
  }

  private Path quantize(Path source, QuantizeOptions options) throws IOException {
    return quantize(source, options, 2);
  }

  private Path quantize(Path source, QuantizeOptions options, int threads) throws IOException {
    Path file = folder.resolve("quantized-" + threads + ".gguf");
    try (Checkpoint opened = Checkpoint.open(source);
        WorkerPool workers = new WorkerPool(threads)) {
      new ModelQuantizer(opened, workers, bytes -> {})
          .write(QuantizePlan.of(opened, options), file);
    }
    return file;
  }

  /// Matrices with equal types and bytes; fails on equal types with other bytes.
  private static int equalMatrices(Path ours, Path theirs) throws IOException {
    int equal = 0;
    try (Checkpoint a = Checkpoint.open(ours);
        Checkpoint b = Checkpoint.open(theirs);
        WorkerPool workers = new WorkerPool(2)) {
      for (WeightError e : WeightError.between(a, b, workers)) {
        if (e.format().equals(e.reference())) {
          assertTrue(e.equalBytes(), e.toString());
          assertEquals(0, e.rms());
          equal++;
        }
      }
    }
    return equal;
  }

  /// Three matrices: the embedding, 64 wide with one row; one `width` wide with one row, unless
  /// that is 64; and one 64 wide, with a row of ones and one that holds `value`.
  private Path model(int width, int ones, float value) throws IOException {
    Path file = folder.resolve("model.gguf");
    try (GgufWriter writer = GgufWriter.create(file)) {
      writer.string("general.architecture", "llama").uint32("llama.block_count", 1);
      writer.uint32("llama.embedding_length", 64).uint32("llama.feed_forward_length", 64);
      writer.uint32("llama.attention.head_count", 1).uint32("llama.context_length", 8);
      writer.float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
      boolean two = width != 64;
      writer.tensor("token_embd.weight", BlockFormat.F32, 64, 1);
      writer.tensor("blk.0.attn_q.weight", BlockFormat.F32, 64, two ? 1 : 2);
      if (two) {
        writer.tensor("blk.0.ffn_down.weight", BlockFormat.F32, width, 1);
      }
      int count = two ? 64 : 128;
      ByteBuffer a = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        a.putFloat(i == count - ones ? value : 1);
      }
      writer.data("token_embd.weight", MemorySegment.ofArray(new byte[4 * 64]));
      writer.data("blk.0.attn_q.weight", MemorySegment.ofArray(a.array()));
      if (two) {
        writer.data("blk.0.ffn_down.weight", MemorySegment.ofArray(new byte[4 * width]));
      }
      writer.finish();
    }
    return file;
  }

  private static List<float[]> logits(Path file, int[] tokens) throws IOException {
    List<float[]> logits = new ArrayList<>();
    KernelOptions exact = KernelOptions.fromSystem().with("quern.numerics", "exact");
    LoadOptions options = LoadOptions.defaults().withKernels(exact).withThreads(2);
    try (LlamaModel model = LlamaModel.load(file, options);
        LlamaSession session = model.newSession()) {
      session.evaluate(tokens, logits::add);
    }
    return logits;
  }

  private static Path tiny1() throws URISyntaxException {
    return resource("tiny1-F32.gguf");
  }

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(LlamaModel.class.getResource(name).toURI());
  }
}
