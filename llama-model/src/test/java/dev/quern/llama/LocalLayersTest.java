package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.KernelOptions;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.AttentionShape;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.LocalLayers;
import dev.quern.llama.checkpoint.Multipliers;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.RopeShape;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.op.Activation;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.SwiGluSpec;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Layers that see a window, soft caps and multipliers: which a file asks for, what is asked of the
/// kernels, and what is refused. Their numbers: [FamiliesTest].
class LocalLayersTest {
  @TempDir Path folder;

  /// llama.cpp passes over the windows of a Llama and a Phi-3; for these logits all positions
  /// before it were removed from its cache.
  @ParameterizedTest
  @ValueSource(strings = {"mistral", "phi3"})
  void aWindowWithoutAPatternIsThatOfAllLayers(String family) throws Exception {
    ReferenceLogits reference;
    String name = "tiny-" + family + ".reference.json";
    try (InputStream in = getClass().getResourceAsStream(name)) {
      reference = ReferenceLogits.read(in, "F32 window 8");
    }
    Path model = changed(family, c -> c.put("model_type", family).put("sliding_window", 8));
    int context = 256; // that of Phi-3's short divisors
    List<float[]> logits = FamiliesTest.logits(model, reference.tokens(), context);
    reference
        .logits()
        .forEach((position, expected) ->
            assertTrue(ReferenceLogits.nmse(logits.get(position), expected) < 1e-7));
    List<float[]> fromFile = FamiliesTest.logits(asGguf(model), reference.tokens(), context);
    for (int p = 0; p < logits.size(); p++) {
      assertArrayEquals(logits.get(p), fromFile.get(p));
    }
    List<AttentionSpec> attention = needed(model, AttentionSpec.class);
    assertEquals(1, attention.size());
    assertEquals(8, attention.getFirst().window());
  }

  @Test
  void aGemmaAsksForWhatItsLayersNeed() throws Exception {
    List<AttentionSpec> two = needed(model("gemma2"), AttentionSpec.class);
    AttentionSpec global = AttentionSpec.of(2, 1, 16, 256, KvFormat.F32).withSoftCap(2.5f);
    assertEquals(List.of(global, global.withWindow(8)), two);
    List<AttentionSpec> three = needed(model("gemma3"), AttentionSpec.class);
    assertEquals(List.of(global.withSoftCap(0), global.withSoftCap(0).withWindow(8)), three);
    assertEquals(
        List.of(SwiGluSpec.of(32).withActivation(Activation.GELU_TANH)),
        needed(model("gemma3"), SwiGluSpec.class));
    assertTrue(
        needed(model("gemma2"), LinearSpec.class).stream().noneMatch(LinearSpec::accumulate));
    assertTrue(
        needed(model("granite"), LinearSpec.class).stream().noneMatch(LinearSpec::accumulate));
    assertEquals(
        0.2f, needed(model("granite"), AttentionSpec.class).getFirst().scale(), 0); // no root of 8
  }

  @Test
  void configsAreReadWhole() throws Exception {
    try (Checkpoint gemma3 = Checkpoint.open(model("gemma3"))) {
      LlamaConfig config = gemma3.config();
      assertEquals(
          Optional.of(new LocalLayers(8, 6, OptionalDouble.of(10_000))),
          config.attention().local());
      assertEquals(
          List.of(true, true, true, true, true, false),
          IntStream.range(0, 6).mapToObj(config::isLocal).toList());
      assertEquals(1e6, config.rope().base());
      assertEquals(new RopeScaling.Linear(8), config.rope().scaling());
      assertEquals(new RopeShape(16, 1e4, RopeScaling.none()), config.localRope());
      assertEquals(new Multipliers((float) Math.sqrt(32), 1, 1, 0), config.multipliers());
    }
    try (Checkpoint granite = Checkpoint.open(model("granite"))) {
      assertEquals(new Multipliers(6, 0.4f, 0.7f, 0), granite.config().multipliers());
      assertEquals(granite.config().rope(), granite.config().localRope());
    }
  }

  /// What a folder's configuration says is in the GGUF file that is made of it.
  @ParameterizedTest
  @ValueSource(strings = {"gemma2", "gemma3", "granite"})
  void aFileMadeOfAFolderHasItsConfig(String family) throws Exception {
    Path model =
        changed(
            family,
            c -> {
              if (family.equals("gemma2")) {
                c.putNull("attn_logit_softcapping").put("query_pre_attn_scalar", 20);
              } else if (family.equals("gemma3")) {
                c.put("sliding_window_pattern", 3).put("rope_local_base_freq", 5000);
              }
            });
    try (Checkpoint from = Checkpoint.open(model);
        Checkpoint to = Checkpoint.open(asGguf(model))) {
      assertEquals(from.config(), to.config());
      AttentionShape attention = from.config().attention();
      switch (family) {
        case "gemma2" -> {
          assertEquals(0, attention.softCap());
          assertEquals((float) (1 / Math.sqrt(20)), attention.scale());
        }
        case "gemma3" ->
            assertEquals(
                Optional.of(new LocalLayers(8, 3, OptionalDouble.of(5000))), attention.local());
        default -> assertEquals(0.2f, attention.scale());
      }
    }
  }

  /// Gemma 2 and 3 of 27B divide scores by the root of width / heads, as llama.cpp knows by their
  /// layers.
  @ParameterizedTest
  @CsvSource({"gemma2, 46, 16", "gemma2, 26, 8", "gemma3, 62, 16", "gemma3, 46, 8"})
  void theScaleOf27BIsOfTheWidth(String family, int layers, int root) throws Exception {
    Path file = header(family, Map.of(), layers);
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertEquals((float) (1 / Math.sqrt(root)), checkpoint.config().attention().scale());
    }
  }

  /// As llama.cpp and transformers have it: early files of Gemma 2 lack these keys.
  @Test
  void whatFilesOfGemma2LackIsKnown() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(header("gemma2", Map.of(), 26))) {
      AttentionShape attention = checkpoint.config().attention();
      assertEquals(
          Optional.of(new LocalLayers(4096, 2, OptionalDouble.empty())), attention.local());
      assertEquals(50, attention.softCap());
      assertEquals(30, checkpoint.config().multipliers().logitSoftCap());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gemma3 | attention.sliding_window | 0 | gemma3.attention.sliding_window=0, expected 1 to",
        "gemma3 | attn_logit_softcapping | 50 | gemma3.attn_logit_softcapping = float32 50.0, expected 0.0",
        "gemma2 | embedding_scale | 12 | gemma2.embedding_scale = float32 12.0, expected 1.0",
        "gemma2 | final_logit_softcapping | -3 | gemma2.final_logit_softcapping=-3.0, expected",
        "granite | attention.sliding_window | 8 | sliding windows of a Granite are not supported",
        "granite | rope.freq_base_swa | 8 | metadata key 'granite.rope.freq_base_swa'",
        "granite | residual_scale | -1 | granite.residual_scale=-1.0, expected",
        "granite | rope.scaling.finetuned | 0 | granite.rope.scaling.finetuned = bool false, expected true",
        "llama | attention.sliding_window | -1 | llama.attention.sliding_window=-1, expected 1 to",
        "llama | attn_logit_softcapping | 50 | llama.attn_logit_softcapping = float32 50.0, expected 0.0",
      })
  void whatAFileAsksForInVainIsRefused(String family, String key, String value, String message)
      throws Exception {
    Path file = header(family, Map.of(key, value), 2);
    assertRefused(() -> Checkpoint.open(file).close(), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gemma2 | hidden_activation | \"gelu\" | hidden_activation:",
        "gemma2 | query_pre_attn_scalar | 0 | query_pre_attn_scalar: 0, expected a positive",
        "gemma3 | layer_types | [\"full_attention\"] | layer_types:",
        "gemma3 | use_bidirectional_attention | true | use_bidirectional_attention: true, expected false",
        "granite | sliding_window | 8 | sliding windows of a granite are not supported",
        "granite | residual_multiplier | 1e9 | residual_multiplier:",
        "mistral | embedding_multiplier | 2 | embedding_multiplier: 2, expected 1",
      })
  void whatAFolderAsksForInVainIsRefused(String family, String key, String value, String message)
      throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    Path model = changed(family, c -> {});
    Path file = model.resolve("config.json");
    ObjectNode config = (ObjectNode) mapper.readTree(file.toFile());
    config.set(key, mapper.readTree(value));
    mapper.writeValue(file.toFile(), config);
    assertRefused(() -> Checkpoint.open(model).close(), message);
  }

  @Test
  void layerTypesSayWhichAreLocal() throws Exception {
    String sliding = "sliding_attention";
    Path model =
        changed(
            "gemma3",
            c ->
                c.putArray("layer_types")
                    .add(sliding)
                    .add("full_attention")
                    .add(sliding)
                    .add("full_attention")
                    .add(sliding)
                    .add("full_attention"));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(2, checkpoint.config().attention().local().orElseThrow().period());
    }
  }

  /// `MistralConfig` has 4096 where nothing is said, and null is none.
  @Test
  void aMistralThatDoesNotSayHasTheWindowOfItsFirstVersion() throws Exception {
    Path model =
        changed(
            "mistral", c -> c.put("model_type", "mistral").put("max_position_embeddings", 8192));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(
          4096, checkpoint.config().attention().local().map(LocalLayers::window).orElse(0));
    }
    change(model, c -> c.putNull("sliding_window"));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(Optional.empty(), checkpoint.config().attention().local());
    }
  }

  /// `Phi3Config` has none where nothing is said, and of the models for long texts no query fills
  /// it.
  @Test
  void aPhiHasTheWindowThatItStates() throws Exception {
    Path model = changed("phi3", c -> c.put("max_position_embeddings", 4096));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(Optional.empty(), checkpoint.config().attention().local());
    }
    change(model, c -> c.put("sliding_window", 2047));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(
          Optional.of(new LocalLayers(2047, 0, OptionalDouble.empty())),
          checkpoint.config().attention().local());
    }
    change(model, c -> c.put("sliding_window", 262_144));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(Optional.empty(), checkpoint.config().attention().local());
    }
  }

  /// A scaling of RoPE that gives a longer context gives queries that fill the window.
  @Test
  void aWindowIsOfTheContextThatRopeIsStretchedTo() throws Exception {
    Path model =
        changed(
            "mistral",
            c -> {
              c.put("model_type", "mistral").put("sliding_window", 256);
              c.putObject("rope_scaling").put("rope_type", "yarn").put("factor", 2);
            });
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(512, checkpoint.config().contextLength());
      assertEquals(256, checkpoint.config().attention().local().map(LocalLayers::window).orElse(0));
    }
  }

  /// Sequences of different lengths in one batch, each beyond the window.
  @ParameterizedTest
  @ValueSource(strings = {"gemma2", "gemma3", "granite"})
  void anEngineGivesTheTokensOfASession(String family) throws Exception {
    int[][] prompts = {
      IntStream.range(0, 20).toArray(), IntStream.range(7, 18).map(i -> i * 3).toArray(), {5, 9}
    };
    try (LlamaModel model = LlamaModel.load(model(family), options());
        Engine engine = model.newEngine(EngineOptions.defaults())) {
      List<Completion> running = new ArrayList<>();
      for (int[] prompt : prompts) {
        running.add(engine.submit(EngineRequest.of(prompt, GenerationOptions.greedy(12)), _ -> {}));
      }
      for (int i = 0; i < prompts.length; i++) {
        try (LlamaSession session = model.newSession()) {
          Generation alone =
              session.generateTokens(prompts[i], GenerationOptions.greedy(12), _ -> true);
          assertEquals(alone.tokens(), running.get(i).await().tokens());
        }
      }
    }
  }

  private Path header(String family, Map<String, String> changes, int layers) throws Exception {
    Path file = folder.resolve("header.gguf");
    try (GgufWriter writer = GgufWriter.create(file)) {
      writer.string("general.architecture", family);
      Map<String, Integer> integers =
          new TreeMap<>(
              Map.of(
                  "block_count", layers,
                  "context_length", 8192,
                  "embedding_length", 32,
                  "feed_forward_length", 32,
                  "attention.head_count", 2,
                  "attention.key_length", 8));
      if (family.equals("gemma3")) {
        integers.put("attention.sliding_window", 8);
      }
      Map<String, Float> floats = new TreeMap<>(Map.of("attention.layer_norm_rms_epsilon", 1e-6f));
      if (family.equals("granite")) {
        floats.put("logit_scale", 8f);
      }
      changes.forEach((key, value) -> {
        integers.remove(key);
        floats.remove(key);
        switch (key) {
          case "rope.scaling.finetuned" -> writer.bool(family + "." + key, value.equals("1"));
          case "attention.sliding_window" ->
              writer.ints(family + "." + key, new int[] {Integer.parseInt(value)});
          default -> floats.put(key, Float.parseFloat(value));
        }
      });
      integers.forEach((key, value) -> writer.uint32(family + "." + key, value));
      floats.forEach((key, value) -> writer.float32(family + "." + key, value));
      writer.tensor("token_embd.weight", BlockFormat.F32, 32, 1);
      writer.data("token_embd.weight", MemorySegment.ofArray(new byte[128]));
      writer.finish();
    }
    return file;
  }

  private static void assertRefused(Executable load, String message) {
    LlamaException refusal = assertThrows(LlamaException.class, load);
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
  }

  private Path changed(String family, Consumer<ObjectNode> change) throws Exception {
    Path model = HuggingFaceFolder.write(model(family), folder.resolve("model"), 1);
    change(model, change);
    return model;
  }

  private static void change(Path model, Consumer<ObjectNode> change) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    Path file = model.resolve("config.json");
    ObjectNode config = (ObjectNode) mapper.readTree(file.toFile());
    change.accept(config);
    mapper.writeValue(file.toFile(), config);
  }

  private Path asGguf(Path model) throws Exception {
    Path made = folder.resolve("made.gguf");
    try (Checkpoint source = Checkpoint.open(model)) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of("f32", 32));
      new ModelQuantizer(source, Workers.sequential(), _ -> {}).write(plan, made);
    }
    return made;
  }

  private static <S> List<S> needed(Path model, Class<S> kind) throws Exception {
    return LlamaModel.neededKernels(model, KvFormat.F32).stream()
        .map(NeededKernel::spec)
        .filter(kind::isInstance)
        .map(kind::cast)
        .toList();
  }

  private static LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.numerics", "exact");
    return LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
  }

  private static Path model(String family) throws Exception {
    return Path.of(LocalLayersTest.class.getResource("tiny-" + family + "-F32.gguf").toURI());
  }
}
