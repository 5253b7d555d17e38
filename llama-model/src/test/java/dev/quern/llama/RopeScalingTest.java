package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.RopeScaling.DynamicNtk;
import dev.quern.llama.checkpoint.RopeScaling.Linear;
import dev.quern.llama.checkpoint.RopeScaling.LongRope;
import dev.quern.llama.checkpoint.RopeScaling.Yarn;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Scalings of RoPE, from GGUF's keys and from `config.json`: against llama.cpp's logits where it
/// has them (`ROPES` of `tiny-families.py` has the same keys), else against the formula written
/// out.
class RopeScalingTest {
  private static final String SCALING = "rope.scaling.";

  @TempDir Path folder;

  @Test
  void yarnAgreesWithLlamaCpp() throws Exception {
    Map<String, Object> keys = new HashMap<>();
    keys.put("rope.freq_base", 100f);
    keys.put(SCALING + "type", "yarn");
    keys.put(SCALING + "factor", 4f);
    keys.put(SCALING + "original_context_length", 1024L);
    assertAgrees("yarn", "qwen2", keys);
    assertAgrees("yarn, granite", "granite", keys);
    keys.put(SCALING + "attn_factor", 0.9f);
    keys.put(SCALING + "yarn_ext_factor", 0f);
    assertAgrees("yarn, no ramp", "qwen2", keys);
    keys.put(SCALING + "yarn_ext_factor", 0.75f);
    keys.put(SCALING + "yarn_beta_fast", 6f);
    keys.put(SCALING + "yarn_beta_slow", 4f);
    assertAgrees("yarn, all keys", "qwen2", keys);
  }

  @Test
  void linearScalingAgreesWithLlamaCpp() throws Exception {
    String factor = SCALING + "factor";
    Map<String, Object> keys = Map.of(SCALING + "type", "linear", factor, 4f);
    assertAgrees("linear", "mistral", keys);
    assertAgrees("linear, granite", "granite", keys);
    assertAgrees("linear, old", "mistral", Map.of("rope.scale_linear", 4f));
    assertAgrees("linear, 0.5", "smollm3", Map.of(factor, 0.5f));
  }

  @Test
  void aPartOfAHeadInHalvesAgreesWithLlamaCpp() throws Exception {
    assertAgrees("part of a head", "gemma2", Map.of("rope.dimension_count", 10L));
  }

  private void assertAgrees(String name, String family, Map<String, Object> keys) throws Exception {
    Path file = folder.resolve(name + ".gguf");
    RekeyedGguf.write(FamiliesTest.model(family, "F32"), file, keys);
    ReferenceLogits reference;
    try (InputStream in = getClass().getResourceAsStream("tiny-ropes.reference.json")) {
      reference = ReferenceLogits.read(in, name);
    }
    FamiliesTest.assertAgree(reference, FamiliesTest.logits(file, reference.tokens(), 0), 1e-7);
  }

  /// A model card of Qwen2.5 adds these three members to a file that has a context of 32,768.
  @Test
  void qwensYarnOfTheModelCardGivesItsContext() throws Exception {
    LlamaConfig config =
        config(
            "{\"type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768}",
            32_768);
    assertEquals(131_072, config.contextLength());
    double magnitude = 1.1386294361119891; // 0.1 ln 4 + 1
    assertEquals(new Yarn(4, 32_768, 32, 1, 1, magnitude), config.rope().scaling());
    LlamaConfig given =
        config(
            "{\"rope_type\": \"yarn\", \"factor\": 2, \"beta_fast\": 16, \"beta_slow\": 2, \"attention_factor\": 1}",
            100);
    assertEquals(new Yarn(2, 100, 16, 2, 1, 1), given.rope().scaling());
    assertEquals(200, given.contextLength());
  }

  /// The blend of the two frequencies as transformers writes it (`_compute_yarn_parameters`).
  @Test
  void yarnIsTheFormulaOfTransformers() {
    int dim = 128;
    double base = 1e6;
    double[] actual = new Yarn(4, 32_768, 32, 1, 1, 1).frequencies(dim, base, 131_072);
    double low = Math.floor(dim * Math.log(32_768 / (32 * 2 * Math.PI)) / (2 * Math.log(base)));
    double high = Math.ceil(dim * Math.log(32_768 / (2 * Math.PI)) / (2 * Math.log(base)));
    assertEquals(23, low);
    assertEquals(40, high);
    for (int i = 0; i < dim / 2; i++) {
      double frequency = 1 / Math.pow(base, 2.0 * i / dim);
      double extrapolated = 1 - Math.clamp((i - low) / (high - low), 0, 1);
      double expected = frequency / 4 * (1 - extrapolated) + frequency * extrapolated;
      assertEquals(expected, actual[i], 1e-12 * expected, "pair " + i);
    }
  }

  /// `_compute_longrope_parameters`: of Phi the factor follows from the two contexts.
  @ParameterizedTest
  @ValueSource(strings = {"longrope", "su"})
  void longRopeHasTheAttentionFactorOfTransformers(String type) throws Exception {
    String divisors = "\"short_factor\": [1, 1.5, 2, 3], \"long_factor\": [1, 2, 8, 64]";
    LlamaConfig phi =
        config(
            String.format(
                Locale.ROOT,
                "{\"type\": \"%s\", \"original_max_position_embeddings\": 4096, %s}",
                type,
                divisors),
            131_072);
    List<Float> shorts = List.of(1f, 1.5f, 2f, 3f);
    List<Float> longs = List.of(1f, 2f, 8f, 64f);
    double magnitude = (float) Math.sqrt(1 + Math.log(32) / Math.log(4096));
    RopeScaling expected = new LongRope(shorts, longs, 4096, magnitude);
    assertEquals(expected, phi.rope().scaling());
    assertEquals(131_072, phi.contextLength());
    assertEquals(1 / 3.0, expected.frequencies(8, 1, 4096)[3]);
    assertEquals(1 / 64.0, expected.frequencies(8, 1, 4097)[3]);
    LlamaConfig factor =
        config(
            String.format(Locale.ROOT, "{\"type\": \"%s\", \"factor\": 4, %s}", type, divisors),
            1024);
    magnitude = (float) Math.sqrt(1 + Math.log(4) / Math.log(1024));
    assertEquals(new LongRope(shorts, longs, 1024, magnitude), factor.rope().scaling());
  }

  /// llama.cpp has none. `_compute_dynamic_ntk_parameters`: the base of a sequence that is longer
  /// than the original context is `base * (factor * length / context - (factor - 1))^(d / (d -
  /// 2))`.
  @Test
  void dynamicNtkIsTheFormulaOfTransformers() throws Exception {
    LlamaConfig config = config("{\"type\": \"dynamic\", \"factor\": 4.0}", 2048);
    assertEquals(new DynamicNtk(4, 2048), config.rope().scaling());
    assertEquals(8192, config.contextLength());
    double[] plain = new Linear(1).frequencies(64, 10_000, 1);
    assertArrayEquals(plain, new DynamicNtk(4, 2048).frequencies(64, 10_000, 2048));
    assertArrayEquals(plain, new DynamicNtk(4, 2048).frequencies(64, 10_000, 64));
    double base = 10_000 * Math.pow(4 * 6000.0 / 2048 - 3, 64 / 62.0);
    double[] actual = new DynamicNtk(4, 2048).frequencies(64, 10_000, 6000);
    for (int i = 0; i < 32; i++) {
      double expected = 1 / Math.pow(base, 2 * i / 64.0);
      assertEquals(expected, actual[i], 1e-12 * expected, "pair " + i);
    }
  }

  @Test
  void dynamicNtkRunsFromAFolderAndHasNoPlaceInGguf() throws Exception {
    Path model = FamiliesTest.folder("mistral", folder.resolve("model"));
    int[] tokens = {3, 1, 4, 1, 5, 9};
    float[] plain = FamiliesTest.logits(model, tokens, 256).getLast();
    scaling(model, "{\"type\": \"dynamic\", \"factor\": 4.0}");
    assertArrayEquals(plain, FamiliesTest.logits(model, tokens, 256).getLast());
    float[] stretched = FamiliesTest.logits(model, tokens, 1024).getLast();
    assertTrue(Math.abs(plain[0] - stretched[0]) > 1e-4, plain[0] + " " + stretched[0]);
    assertTrue(
        assertThrows(LlamaException.class, () -> quantized(model))
            .getMessage()
            .contains("dynamic NTK"));
  }

  /// What a folder says is in the file that is made of it; F32 rounds.
  @Test
  void scalingsComeAlongIntoGguf() throws Exception {
    for (String json :
        List.of(
            "{\"rope_type\": \"linear\", \"factor\": 8}",
            "{\"rope_type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 128}",
            "{\"rope_type\": \"yarn\", \"factor\": 4, \"beta_fast\": 8, \"beta_slow\": 2}",
            "{\"rope_type\": \"longrope\", \"factor\": 2, \"short_factor\": [1, 1.5, 2, 3, 4, 5, 6, 7], \"long_factor\": [2, 4, 6, 8, 10, 12, 14, 16]}",
            "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64}")) {
      Path model = FamiliesTest.folder("mistral", folder.resolve("" + json.hashCode()));
      scaling(model, json);
      try (Checkpoint from = Checkpoint.open(model);
          Checkpoint made = Checkpoint.open(quantized(model))) {
        assertEquals(from.config().rope(), made.config().rope());
        assertEquals(from.config().contextLength(), made.config().contextLength());
      }
    }
  }

  private LlamaConfig config(String scaling, int context) throws Exception {
    Path model = FamiliesTest.folder("qwen2", folder.resolve("config"));
    scaling(model, scaling);
    FamiliesTest.change(model, config -> config.put("max_position_embeddings", context));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      return checkpoint.config();
    }
  }

  private static void scaling(Path model, String json) throws IOException {
    ObjectNode scaling = (ObjectNode) new ObjectMapper().readTree(json);
    FamiliesTest.change(model, config -> config.set("rope_scaling", scaling));
  }

  private Path quantized(Path model) throws IOException {
    Path made = folder.resolve(model.getFileName() + ".gguf");
    try (Checkpoint source = Checkpoint.open(model)) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of("f32", 32));
      new ModelQuantizer(source, Workers.sequential(), _ -> {}).write(plan, made);
    }
    return made;
  }
}
