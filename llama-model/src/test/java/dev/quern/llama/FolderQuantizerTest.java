package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.data.BlockFormat;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.MetaNames;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.SafetensorsBytes;
import dev.quern.llama.checkpoint.TorchBytes;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.llama.quantize.WeightError;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerException;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// GGUF files made from model folders: the same model, in the same bytes as from a GGUF file.
class FolderQuantizerTest {
  @TempDir Path folder;

  /// tiny1 has RoPE's factors, which a folder states as `rope_scaling`.
  @ParameterizedTest
  @CsvSource({"F32, f32, 1", "F32, f32, 3", "F16, f16, 1", "BF16, bf16, 2"})
  void theSourcesOwnFormatKeepsTheLogitsToTheBit(String format, String scheme, int shards)
      throws Exception {
    Path gguf = tiny1(format);
    Path model = HuggingFaceFolder.write(gguf, folder.resolve("model"), shards);
    Path made = quantize(model, QuantizeOptions.of(scheme, 32));
    assertSameLogits(model, made);
    assertEqualBytes(made, gguf, 15);
    try (GgufFile a = GgufFile.open(made);
        GgufFile b = GgufFile.open(gguf)) {
      String factors = RopeScaling.DIVISORS;
      assertArrayEquals(b.vector(b.tensor(factors)), a.vector(a.tensor(factors)));
      Set<String> ofTheName = Set.of("general.name", "general.file_type");
      for (String key : b.metadata().keys()) {
        if (!ofTheName.contains(key)) {
          assertEquals(b.metadata().describe(key), a.metadata().describe(key));
        }
      }
    }
  }

  /// Hugging Face's folders have norms in BF16, which llama.cpp does not multiply F32 with.
  @Test
  void normsBecomeF32() throws Exception {
    Path model =
        HuggingFaceFolder.write(
            tiny1("F32"), folder.resolve("model"), 1, FolderQuantizerTest::vectorInBf16);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals("BF16", checkpoint.tensor("blk.0.attn_norm.weight").type());
    }
    Path made = quantize(model, QuantizeOptions.of("f32", 32));
    assertSameLogits(model, made);
    try (GgufFile file = GgufFile.open(made)) {
      assertEquals(BlockFormat.F32, file.tensor("blk.0.attn_norm.weight").format().orElseThrow());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"int4-block", "q4_0", "q6_k", "int8-channel"})
  void quantizedMatricesHaveTheBytesThatAGgufFileGives(String scheme) throws Exception {
    Path gguf = tiny1("F32");
    Path model = HuggingFaceFolder.write(gguf, folder.resolve("model"), 3);
    Path fromFolder = quantize(model, QuantizeOptions.of(scheme, 64));
    Path fromFile = folder.resolve("from-file.gguf");
    Files.move(quantize(gguf, QuantizeOptions.of(scheme, 64)), fromFile);
    assertEqualBytes(quantize(model, QuantizeOptions.of(scheme, 64)), fromFile, 15);
    assertSameLogits(fromFile, fromFolder);
  }

  @Test
  void theDemoModelKeepsItsTextAndChat() throws Exception {
    Path gguf = demo();
    Path model = HuggingFaceFolder.write(gguf, folder.resolve("model"), 5);
    Path made = quantize(model, QuantizeOptions.of("f16", 32));
    assertSameLogits(gguf, made);
    try (GgufFile a = GgufFile.open(made);
        GgufFile b = GgufFile.open(gguf)) {
      for (String key : b.metadata().keys()) {
        if (key.startsWith("tokenizer.") && !key.equals("tokenizer.ggml.padding_token_id")) {
          assertEquals(b.metadata().describe(key), a.metadata().describe(key));
        }
      }
      assertEquals(
          b.metadata().strings("tokenizer.ggml.merges"),
          a.metadata().strings("tokenizer.ggml.merges"));
      assertEquals(
          b.metadata().string("tokenizer.chat_template"),
          a.metadata().string("tokenizer.chat_template"));
    }
    Tokenizer tokenizer = LlamaModel.loadTokenizer(made);
    assertEquals(LlamaModel.loadTokenizer(gguf).endOfGeneration(), tokenizer.endOfGeneration());
    try (LlamaModel loaded = LlamaModel.load(made, FolderModelTest.options())) {
      loaded.chatTemplate(); // throws where there is none
    }
  }

  /// Meta's form: rows as in GGUF, no `tokenizer.json`, RoPE's factors by `use_scaled_rope`.
  @Test
  void aTorchFileGivesTheSameModel() throws Exception {
    Path gguf = tiny1("F32");
    Path model = Files.createDirectory(folder.resolve("meta"));
    SafetensorsBytes arrays = new SafetensorsBytes();
    try (GgufFile file = GgufFile.open(gguf);
        Arena arena = Arena.ofConfined()) {
      for (GgufTensor t : file.tensors()) {
        if (!t.name().equals(RopeScaling.DIVISORS)) {
          String stem = t.name().substring(0, t.name().length() - ".weight".length());
          long[] dims = t.dims();
          arrays.add(
              MetaNames.of(stem) + ".weight",
              "F32",
              file.map(t, arena).toArray(ValueLayout.JAVA_BYTE),
              dims.length == 1 ? dims : new long[] {dims[1], dims[0]});
        }
      }
    }
    TorchBytes.write(model.resolve("consolidated.00.pth"), arrays.arrays());
    try (Checkpoint original = Checkpoint.open(gguf)) {
      LlamaConfig c = original.config();
      ObjectNode params = new ObjectMapper().createObjectNode();
      params.put("dim", c.width()).put("n_layers", c.layers()).put("n_heads", c.heads());
      params
          .put("n_kv_heads", c.kvHeads())
          .put("norm_eps", 1e-5)
          .put("rope_theta", c.rope().base());
      params.put("use_scaled_rope", true).put("rope_scaling_factor", 32.0);
      params.put("max_seq_len", c.contextLength());
      new ObjectMapper().writeValue(model.resolve("params.json").toFile(), params);
    }
    Path made = quantize(model, QuantizeOptions.of("f32", 32));
    assertEqualBytes(made, gguf, 15);
    assertSameLogits(gguf, made);
  }

  /// GGUF has three keys for tokens that end a generation, a folder a list.
  @Test
  void tokensThatEndAGenerationComeAlongOrAreRefused() throws Exception {
    Path model = HuggingFaceFolder.write(demo(), folder.resolve("model"), 1);
    Path config = model.resolve("generation_config.json");
    Tokenizer without = LlamaModel.loadTokenizer(model);
    int[] free =
        IntStream.range(0, without.vocabularySize())
            .filter(id -> without.isControl(id) && !without.isEndOfGeneration(id))
            .toArray();
    Files.writeString(config, String.format(Locale.ROOT, "{\"eos_token_id\": [%d]}", free[0]));
    Set<Integer> ends = LlamaModel.loadTokenizer(model).endOfGeneration();
    assertTrue(ends.contains(free[0]));
    Path made = quantize(model, QuantizeOptions.of("f16", 32));
    assertEquals(ends, LlamaModel.loadTokenizer(made).endOfGeneration());
    Files.writeString(
        config,
        String.format(Locale.ROOT, "{\"eos_token_id\": [%d, %d, %d]}", free[0], free[1], free[2]));
    refused(model, "that GGUF has keys for", TokenizerException.class);
  }

  @Test
  void linearRopeScalingComesAlong() throws Exception {
    Path model = HuggingFaceFolder.write(tiny1("F32"), folder.resolve("model"), 1);
    edit(
        model.resolve("config.json"),
        config -> config.putObject("rope_scaling").put("rope_type", "linear").put("factor", 4.0));
    Path made = quantize(model, QuantizeOptions.of("f32", 32));
    assertSameLogits(model, made);
    try (Checkpoint checkpoint = Checkpoint.open(made)) {
      assertEquals(new RopeScaling.Linear(4), checkpoint.config().rope().scaling());
    }
  }

  @ParameterizedTest
  @CsvSource({"SpinQuant, true, false", "QLoRA, false, true"})
  void whatIsQuantizedAlreadyIsRefused(String name, boolean spinQuant, boolean adaptors)
      throws Exception {
    Path model = new QuantizedModel(1, spinQuant, adaptors).write(folder.resolve("model"), false);
    refused(
        model, "tok_embeddings.weight is INT8_C, expected F32, F16 or BF16", LlamaException.class);
  }

  @Test
  void partsThatGgufHasNoPlaceForAreRefused() throws Exception {
    Path model = HuggingFaceFolder.write(tiny1("F32"), folder.resolve("model"), 1);
    edit(
        model.resolve("config.json"),
        config -> config.putObject("quantization_args").put("spinquant", true));
    refused(model, "a SpinQuant model", LlamaException.class);
    SafetensorsBytes arrays = new SafetensorsBytes();
    String adaptor = "model.layers.0.self_attn.q_proj.adaptor.A.weight";
    arrays.add(adaptor, "F32", new byte[4 * 64], 1, 64);
    arrays.add("model.embed_tokens.weight", "F32", new byte[4 * 64], 1, 64);
    arrays.writeSingle(model);
    edit(model.resolve("config.json"), config -> config.remove("quantization_args"));
    refused(model, adaptor, LlamaException.class);
  }

  private static SafetensorsBytes.Array vectorInBf16(SafetensorsBytes.Array array) {
    if (array.shape().length != 1) {
      return array;
    }
    byte[] upper = new byte[array.data().length / 2];
    for (int i = 0; i < upper.length; i++) {
      upper[i] = array.data()[i / 2 * 4 + 2 + i % 2];
    }
    return new SafetensorsBytes.Array("BF16", array.shape(), upper);
  }

  private static void edit(Path json, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = (ObjectNode) mapper.readTree(json.toFile());
    change.accept(root);
    mapper.writeValue(json.toFile(), root);
  }

  private void refused(Path model, String part, Class<? extends RuntimeException> type)
      throws IOException {
    RuntimeException e = assertThrows(type, () -> quantize(model, QuantizeOptions.of("f16", 32)));
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    try (var files = Files.list(folder)) {
      assertTrue(files.noneMatch(f -> f.getFileName().toString().startsWith("made.gguf.")));
    }
  }

  private Path quantize(Path model, QuantizeOptions options) throws IOException {
    Path made = folder.resolve("made.gguf");
    try (Checkpoint source = Checkpoint.open(model);
        WorkerPool workers = new WorkerPool(2)) {
      new ModelQuantizer(source, workers, bytes -> {})
          .write(QuantizePlan.of(source, options), made);
    }
    return made;
  }

  private static void assertSameLogits(Path expected, Path actual) throws IOException {
    float[][] a = FolderModelTest.logits(expected);
    float[][] b = FolderModelTest.logits(actual);
    for (int t = 0; t < a.length; t++) {
      assertArrayEquals(a[t], b[t], "after token " + t);
    }
  }

  private static void assertEqualBytes(Path made, Path gguf, int matrices) throws IOException {
    try (Checkpoint a = Checkpoint.open(made);
        Checkpoint b = Checkpoint.open(gguf);
        WorkerPool workers = new WorkerPool(2)) {
      List<WeightError> errors = WeightError.between(a, b, workers);
      assertEquals(matrices, errors.size());
      errors.forEach(e -> assertTrue(e.equalBytes(), e.toString()));
    }
  }

  private static Path tiny1(String format) throws URISyntaxException {
    String name = "tiny1-" + format + ".gguf";
    return format.equals("F32")
        ? Path.of(FolderQuantizerTest.class.getResource(name).toURI())
        : SharedFiles.file("models/" + name);
  }

  private Path demo() throws IOException {
    Path gguf = folder.resolve("demo.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.write(gguf, in.readAllBytes());
    }
    return gguf;
  }
}
