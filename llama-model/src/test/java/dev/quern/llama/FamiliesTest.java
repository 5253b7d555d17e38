package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.Family;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormSpec;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A tiny random model of each family (`tiny-families.py`), against llama.cpp and in all the ways
/// that a model takes here.
class FamiliesTest {
  private static final Surroundings WARMING_ALL =
      new Surroundings(
          OptionalLong::empty, 0, HugePageSystem.THIS_MACHINE, CpuCores::ofThisProcess);

  @TempDir Path folder;

  /// llama.cpp rounds activations where weights are quantized.
  @ParameterizedTest
  @CsvSource({
    "mistral, F32, 1e-7",
    "qwen2, F32, 1e-7",
    "qwen2, Q8_0, 5e-3",
    "qwen2, Q4_0, 5e-3",
    "qwen3, F32, 1e-7",
    "qwen3, Q8_0, 5e-3",
    "qwen3, Q4_0, 5e-3",
    "phi3, F32, 1e-7",
    "phi3, Q8_0, 5e-3",
    "phi3, Q4_0, 5e-3",
    "smollm3, F32, 1e-7",
    "smollm3, Q8_0, 5e-3",
    "smollm3, Q4_0, 5e-3",
    "gemma2, F32, 1e-7",
    "gemma2, Q8_0, 5e-3",
    "gemma2, Q4_0, 5e-3",
    "gemma3, F32, 1e-7",
    "gemma3, Q8_0, 5e-3",
    "gemma3, Q4_0, 5e-3",
    "granite, F32, 1e-7",
    "granite, Q8_0, 5e-3",
    "granite, Q4_0, 5e-3"
  })
  void logitsAgreeWithLlamaCpp(String family, String format, double bound) throws Exception {
    ReferenceLogits reference = reference(family, format);
    int context = family.equals("phi3") ? 256 : 0;
    assertAgree(reference, logits(model(family, format), reference.tokens(), context), bound);
  }

  static void assertAgree(ReferenceLogits reference, List<float[]> logits, double bound) {
    assertEquals(3, reference.logits().size());
    reference
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(nmse < bound, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
  }

  /// A context beyond the original one has the other divisors.
  @ParameterizedTest
  @CsvSource({"F32, 1e-7", "Q8_0, 5e-3", "Q4_0, 5e-3"})
  void longRopeGoesByTheContextAsWithLlamaCpp(String format, double bound) throws Exception {
    int original = 256;
    Path phi3 = model("phi3", format);
    ReferenceLogits within = reference("phi3", format);
    ReferenceLogits beyond = reference("phi3", format + " long");
    assertAgree(within, logits(phi3, within.tokens(), original), bound);
    assertAgree(beyond, logits(phi3, within.tokens(), original + 1), bound);
    assertTrue(
        ReferenceLogits.nmse(floats(within.logits().get(23)), beyond.logits().get(23)) > 1e-3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mistral", "qwen2", "qwen3", "phi3", "smollm3", "gemma2", "gemma3", "granite"})
  void aFolderGivesTheBitsOfTheFile(String family) throws Exception {
    Path gguf = model(family, "F32");
    int[] tokens = reference(family, "F32").tokens();
    Path model = HuggingFaceFolder.write(gguf, folder.resolve("model"), 2);
    if (family.equals("mistral")) {
      change(model, config -> config.put("model_type", family));
    }
    assertSame(logits(gguf, tokens), logits(model, tokens));
  }

  /// Members of a `config.json` as Qwen publishes it: sliding windows are there, and off.
  @Test
  void qwensConfigSaysWhatIsNotUsed() throws Exception {
    Path model = HuggingFaceFolder.write(model("qwen2", "F32"), folder.resolve("model"), 1);
    change(
        model,
        config ->
            config
                .put("sliding_window", 128)
                .put("use_sliding_window", false)
                .put("max_window_layers", 1)
                .put("attention_dropout", 0.0)
                .put("use_mrope", false));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(Family.QWEN2, checkpoint.config().family());
    }
    change(model, config -> config.put("use_sliding_window", true));
    assertRefused(model, "sliding windows of a qwen2 are not supported");
  }

  /// transformers has 128 for Qwen3, and no class but Llama's takes key heads from the heads.
  @Test
  void whatAConfigLeavesOutIsWhatTransformersHas() throws Exception {
    Path model = HuggingFaceFolder.write(model("qwen3", "F32"), folder.resolve("model"), 1);
    change(model, config -> config.remove("head_dim"));
    assertRefused(model, "q_proj.weight is [32, 64], expected [32, 512]");
    change(model, config -> config.remove("num_key_value_heads"));
    assertRefused(model, "num_key_value_heads: absent");
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3", "phi3", "smollm3", "gemma2", "gemma3", "granite"})
  void aFolderIsQuantizedAsTheFileIs(String family) throws Exception {
    Path gguf = model(family, "F32");
    int[] tokens = reference(family, "F32").tokens();
    Path model = HuggingFaceFolder.write(gguf, folder.resolve("model"), 1);
    Path fromFile = quantize(gguf, "q8_0", "a.gguf");
    Path fromFolder = quantize(model, "q8_0", "b.gguf");
    assertSame(logits(fromFile, tokens), logits(fromFolder, tokens));
    assertSame(logits(gguf, tokens), logits(quantize(model, "f32", "c.gguf"), tokens));
  }

  /// The last layer leaves out rows that nobody wants, the norms of their heads too.
  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3", "phi3", "smollm3", "gemma2", "gemma3", "granite"})
  void aPromptAtOnceContinuesAsTokenByToken(String family) throws Exception {
    int[] tokens = reference(family, "F32").tokens();
    List<float[]> each = logits(model(family, "F32"), tokens);
    int expected = argMax(each.getLast());
    for (Surroundings surroundings : List.of(Surroundings.THIS_MACHINE, WARMING_ALL)) {
      try (LlamaModel model = LlamaModel.load(model(family, "F32"), options(), surroundings);
          LlamaSession session = model.newSession()) {
        Generation generation =
            session.generateTokens(tokens, GenerationOptions.greedy(1), token -> true);
        assertEquals(List.of(expected), generation.tokens());
      }
    }
  }

  @Test
  void theKernelsThatAreNeededAreThoseOfTheFamily() throws Exception {
    List<Object> qwen2 = needed("qwen2");
    assertEquals(2, qwen2.stream().filter(s -> s instanceof LinearSpec l && l.bias()).count());
    assertTrue(qwen2.stream().noneMatch(s -> s instanceof RmsNormSpec n && n.groups() > 1));
    List<Object> qwen3 = needed("qwen3");
    assertTrue(qwen3.stream().noneMatch(s -> s instanceof LinearSpec l && l.bias()));
    RmsNormSpec heads = RmsNormSpec.of(64, 1e-6f).withGroups(4);
    assertTrue(qwen3.contains(heads), qwen3.toString());
    assertTrue(qwen3.contains(heads.withWidth(32).withGroups(2)), qwen3.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2, qwen3, self_attn.q_norm.weight': missing",
    "qwen3, qwen2, self_attn.q_proj.bias': missing",
    "qwen2, llama, '6 tensors are not part of a Llama model'",
    "qwen3, llama, '4 tensors are not part of a Llama model'"
  })
  void aModelOfAnotherFamilyIsRefused(String family, String as, String message) throws Exception {
    Path model = HuggingFaceFolder.write(model(family, "F32"), folder.resolve("model"), 1);
    int headDim = family.equals("qwen2") ? 8 : 16;
    change(model, config -> config.put("model_type", as).put("head_dim", headDim));
    assertRefused(model, message);
  }

  private static void assertRefused(Path model, String message) {
    LlamaException refusal =
        assertThrows(LlamaException.class, () -> LlamaModel.load(model, options()).close());
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
  }

  private static List<Object> needed(String family) throws Exception {
    List<Object> specs = new ArrayList<>();
    LlamaModel.neededKernels(model(family, "F32"), KvFormat.F32)
        .forEach(kernel -> specs.add(kernel.spec()));
    return specs;
  }

  private Path quantize(Path model, String scheme, String name) throws IOException {
    Path made = folder.resolve(name);
    try (Checkpoint source = Checkpoint.open(model)) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of(scheme, 32));
      new ModelQuantizer(source, Workers.sequential(), _ -> {}).write(plan, made);
    }
    return made;
  }

  static void change(Path model, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    Path file = model.resolve("config.json");
    ObjectNode config = (ObjectNode) mapper.readTree(file.toFile());
    change.accept(config);
    mapper.writeValue(file.toFile(), config);
  }

  private static List<float[]> logits(Path file, int[] tokens) throws IOException {
    return logits(file, tokens, 0);
  }

  static List<float[]> logits(Path file, int[] tokens, int context) throws IOException {
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel model = LlamaModel.load(file, options().withContext(context));
        LlamaSession session = model.newSession()) {
      session.evaluate(tokens, logits::add);
    }
    return logits;
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int position = 0; position < expected.size(); position++) {
      assertArrayEquals(expected.get(position), actual.get(position), "position " + position);
    }
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static int argMax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  private static LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.numerics", "exact");
    return LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
  }

  /// The F32 model as Hugging Face has it.
  static Path folder(String family, Path folder) throws Exception {
    return HuggingFaceFolder.write(model(family, "F32"), folder, 1);
  }

  private static ReferenceLogits reference(String family, String format) throws IOException {
    String name = String.format(Locale.ROOT, "tiny-%s.reference.json", family);
    try (InputStream in = FamiliesTest.class.getResourceAsStream(name)) {
      return ReferenceLogits.read(in, format);
    }
  }

  static Path model(String family, String format) throws URISyntaxException {
    String name = String.format(Locale.ROOT, "tiny-%s-%s.gguf", family, format);
    return Path.of(FamiliesTest.class.getResource(name).toURI());
  }
}
