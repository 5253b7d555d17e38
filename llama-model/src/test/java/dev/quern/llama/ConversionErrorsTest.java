package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.RopeShape;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What converters and people leave out, write twice or write in another way: taken as the model's
/// own software takes it, or refused. Keys about RoPE are in [RopeScalingTest] and
/// [ModelNumbersTest].
class ConversionErrorsTest {
  private static final int TOKENS = 262; // of the synthetic model
  private static final int[] TEXT = {7, 3, 11, 42};

  @TempDir Path folder;

  /// Matrices are padded to round numbers, vocabularies are not.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rowsWithoutATokenAreUnusedTokens(boolean asFolder) throws IOException {
    Path file = written(new SyntheticModel().withTensor("token_embd.weight", 32, 320), asFolder);
    assertEquals(320, last(file).length);
    Tokenizer tokenizer = tokenizer(file);
    assertEquals(320, tokenizer.vocabularySize());
    assertEquals(8, tokenizer.encode("[PAD319]", true).length); // text as any
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tokensWithoutARowAreRefused(boolean asFolder) throws IOException {
    Path file = written(new SyntheticModel().withTensor("token_embd.weight", 32, 256), asFolder);
    assertTrue(
        assertThrows(
                RuntimeException.class,
                () -> LlamaModel.load(file, LoadOptions.defaults().withThreads(1)).close())
            .getMessage()
            .contains("262 tokens, expected at most 256"));
  }

  /// A matrix that is not used may be stored, with the bytes of the embedding or with others.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tiedWeightsStoredTwiceAreTied(boolean equal) throws IOException {
    float[] tied = last(written(new SyntheticModel(), true));
    Path twice = written(twice(equal), true);
    FamiliesTest.change(twice, config -> config.put("tie_word_embeddings", true));
    assertArrayEquals(tied, last(twice));
  }

  /// GGUF has no key for it: what is stored is used.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anOutputMatrixOfGgufIsUsed(boolean equal) throws IOException {
    float[] tied = last(written(new SyntheticModel(), false));
    float[] twice = last(written(twice(equal), false));
    assertEquals(equal, Arrays.equals(tied, twice));
    Path untied = written(twice(equal), true);
    assertArrayEquals(twice, last(untied));
    FamiliesTest.change(untied, config -> config.remove("tie_word_embeddings"));
    assertArrayEquals(twice, last(untied));
  }

  @ParameterizedTest
  @ValueSource(strings = {"config.json", "generation_config.json"})
  void severalTokensEndAGeneration(String file) throws IOException {
    Path model = written(new SyntheticModel(), true);
    assertFalse(ends(model).contains(259));
    if (file.equals("config.json")) {
      FamiliesTest.change(model, config -> config.putArray("eos_token_id").add(257).add(259));
    } else {
      Files.writeString(model.resolve(file), "{\"eos_token_id\": [257, 259]}");
    }
    assertTrue(ends(model).containsAll(List.of(257, 259)), ends(model).toString());
    Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": 258}");
    assertTrue(ends(model).contains(258), ends(model).toString());
  }

  @Test
  void nullIsAbsent() throws Exception {
    LlamaConfig expected = config("smollm3", _ -> {});
    assertEquals(
        expected,
        config(
            "smollm3",
            config ->
                config
                    .putNull("head_dim")
                    .putNull("rope_scaling")
                    .putNull("sliding_window")
                    .putNull("no_rope_layers")
                    .putNull("tie_word_embeddings")));
  }

  /// What is left out is what transformers' class has.
  @Test
  void whatIsLeftOutIsWhatTransformersHas() throws Exception {
    Consumer<ObjectNode> without = config -> config.remove("rope_theta");
    RopeShape llama = new RopeShape(16, 10_000, RopeScaling.none());
    assertEquals(llama, config("mistral", without).rope());
    assertEquals(2_000_000, config("smollm3", without).rope().base());
    assertEquals(1_000_000, config("gemma3", without).rope().base());
    assertEquals(10_000, config("gemma3", without).localRope().base());
    without = config -> config.remove("num_key_value_heads");
    assertEquals(4, config("mistral", without).kvHeads());
    assertEquals(4, config("phi3", without).kvHeads());
    assertThrows(
        LlamaException.class,
        () -> config("smollm3", config -> config.remove("num_key_value_heads")));
  }

  /// SmolLM3's class ties where nothing is said, and Llama's does not.
  @Test
  void tiedOrNotIsTheFamilysWhereNothingIsSaid() throws Exception {
    Path smollm3 = FamiliesTest.folder("smollm3", folder.resolve("smollm3"));
    float[] tied = last(smollm3);
    FamiliesTest.change(smollm3, config -> config.remove("tie_word_embeddings"));
    assertArrayEquals(tied, last(smollm3));
    Path llama = written(new SyntheticModel(), true);
    FamiliesTest.change(llama, config -> config.remove("tie_word_embeddings"));
    assertTrue(
        assertThrows(LlamaException.class, () -> last(llama))
            .getMessage()
            .contains("lm_head.weight': missing"));
  }

  /// Which layers have no RoPE is said twice in SmolLM3's files.
  @Test
  void layersWithoutRopeAreThoseOfTheFamily() throws Exception {
    LlamaConfig expected = config("smollm3", _ -> {});
    assertTrue(expected.rotates(2));
    assertFalse(expected.rotates(3));
    assertEquals(
        expected,
        config(
            "smollm3",
            config -> {
              config.putArray("no_rope_layers").add(1).add(1).add(1).add(0);
              config.put("no_rope_layer_interval", 4);
            }));
    for (Consumer<ObjectNode> change :
        List.<Consumer<ObjectNode>>of(
            config -> config.putArray("no_rope_layers").add(1).add(1).add(1).add(1),
            config -> config.putArray("no_rope_layers").add(1).add(1).add(1),
            config -> config.put("no_rope_layer_interval", 2))) {
      assertThrows(LlamaException.class, () -> config("smollm3", change));
    }
  }

  /// A model with an output matrix: the embedding matrix again, or another.
  private static SyntheticModel twice(boolean equal) {
    SyntheticModel model = new SyntheticModel().withTensor("output.weight", 32, TOKENS);
    float[] embedding = new float[32 * TOKENS];
    return model
        .withWeights("token_embd.weight", (i, value) -> embedding[(int) i] = value)
        .withWeights("output.weight", (i, value) -> equal ? embedding[(int) i] : value);
  }

  private Path written(SyntheticModel model, boolean asFolder) throws IOException {
    Path made = Files.createTempDirectory(folder, "model");
    Path gguf = model.write(made.resolve("model.gguf"));
    if (!asFolder) {
      return gguf;
    }
    HuggingFaceFolder.write(gguf, made, 1);
    Files.delete(gguf);
    return made;
  }

  private static float[] last(Path model) throws IOException {
    return FamiliesTest.logits(model, TEXT, 0).getLast();
  }

  private static Set<Integer> ends(Path model) throws IOException {
    return tokenizer(model).endOfGeneration();
  }

  private static Tokenizer tokenizer(Path model) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      return checkpoint.tokenizer().orElseThrow();
    }
  }

  private LlamaConfig config(String family, Consumer<ObjectNode> change) throws Exception {
    Path model =
        FamiliesTest.folder(family, Files.createTempDirectory(folder, family).resolve("model"));
    FamiliesTest.change(model, change);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      return checkpoint.config();
    }
  }
}
