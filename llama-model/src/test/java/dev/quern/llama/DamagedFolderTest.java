package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.CheckpointException;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.RopeShape;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.tokenizer.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Folders whose `config.json` or `params.json` is wrong, or does not fit the weights: each is
/// refused in one line.
class DamagedFolderTest {
  private static final LoadOptions OPTIONS = LoadOptions.defaults().withThreads(1);

  @TempDir Path folder;

  static Stream<Arguments> configs() {
    return Stream.of(
        config(
            "model_type", "\"gemma\"", "model_type: 'gemma', expected one of 'llama', 'mistral'"),
        config("model_type", null, "model_type: absent, expected one of 'llama', 'mistral'"),
        config("hidden_act", "\"gelu\"", "hidden_act: 'gelu', expected 'silu'"),
        config("attention_bias", "true", "attention_bias: true"),
        config("mlp_bias", "true", "mlp_bias: true"),
        config("quantization_config", "{}", "quantization_config: a quantized model"),
        config("partial_rotary_factor", "0.5", "partial_rotary_factor: 0.5, expected 1"),
        config("hidden_size", null, "hidden_size: absent, expected 1 to"),
        config("hidden_size", "\"32\"", "hidden_size: '32', expected an integer"),
        config("hidden_size", "32.5", "hidden_size: 32.5, expected an integer"),
        config(
            "hidden_size", "33", "hidden_size: 33, expected a multiple of num_attention_heads=4"),
        config("hidden_size", "64", "model.embed_tokens.weight is [32, 262], expected [64, 262]"),
        config("hidden_size", "99999999999999999999", "expected an integer"),
        config("num_attention_heads", "0", "num_attention_heads: 0, expected 1 to"),
        config("num_attention_heads", "-4", "num_attention_heads: -4"),
        config("num_key_value_heads", "3", "num_key_value_heads: 3, expected a divisor"),
        config("num_key_value_heads", "4", "is [32, 16], expected [32, 32]"),
        config("head_dim", "7", "head_dim: 7, expected an even number"),
        config("head_dim", "16", "is [32, 32], expected [32, 64]"),
        config("num_hidden_layers", "3", "'model.layers.2.input_layernorm.weight': missing"),
        config("num_hidden_layers", "1", "9 tensors are not part of a Llama model"),
        config("num_hidden_layers", "9000000", "num_hidden_layers: 9000000"),
        config("intermediate_size", "47", "mlp.gate_proj.weight is [32, 48], expected [32, 47]"),
        config("vocab_size", "300", "is [32, 262], expected [32, 300]"),
        config("vocab_size", "100", "is [32, 262], expected [32, 100]"),
        config("tie_word_embeddings", "false", "'lm_head.weight': missing"),
        config("tie_word_embeddings", "1", "tie_word_embeddings: 1, expected true or false"),
        config("rms_norm_eps", "0", "rms_norm_eps: 0, expected a positive finite number"),
        config("rms_norm_eps", "1e300", "rms_norm_eps: 1.0E300, expected"),
        config("rms_norm_eps", "1e-300", "rms_norm_eps: 1.0E-300, expected"),
        config("rope_theta", "-1", "rope_theta: -1"),
        config("rope_theta", "1e-9", "rope_theta: 1.0E-9, expected"),
        config("rope_theta", "1e300", "rope_theta: 1.0E300, expected"),
        config("rope_scaling", "{\"factor\":2}", "rope_scaling.factor: 2, expected a rope_type"),
        config(
            "rope_scaling",
            "{\"type\":\"linear\",\"rope_type\":\"default\",\"factor\":2}",
            "rope_scaling.type: 'linear', expected the same as rope_type"),
        config(
            "rope_scaling",
            "{\"rope_type\":\"linear\",\"factor\":2,\"attention_factor\":1.5}",
            "rope_scaling.attention_factor: 1.5, expected 1"),
        config(
            "rope_scaling",
            "{\"rope_type\":\"linear\",\"factor\":2,\"beta_fast\":32}",
            "rope_scaling.beta_fast: 32, expected none"),
        config(
            "rope_scaling",
            "{\"rope_type\":\"linear\",\"factor\":1e-300}",
            "rope_scaling.factor: 1.0E-300, expected"),
        config("rope_scaling", "{\"rope_type\":\"longrope\",\"factor\":4}", "short_factor: absent"),
        config(
            "rope_scaling",
            "{\"type\":\"su\",\"factor\":4,\"short_factor\":[1,2,3]}",
            "short_factor: 3 numbers, expected 4"),
        config(
            "rope_scaling",
            "{\"type\":\"longrope\",\"factor\":4,\"short_factor\":[1,2,3,0]}",
            "short_factor: an array with 0, expected positive"),
        config("no_rope_layers", "[1,0]", "no_rope_layers: other layers, expected [1, 1]"),
        config("no_rope_layer_interval", "4", "no_rope_layer_interval: 4, expected none"),
        config("rope_parameters", "{\"rope_theta\":7}", "expected 7.0 as in rope_parameters"),
        config("attention_bias", "true", "attention_bias: true, expected false"),
        config("mlp_bias", "true", "mlp_bias: true, expected false"),
        config("hidden_act", "\"gelu\"", "hidden_act: 'gelu', expected 'silu'"),
        config("sliding_window", "64", "sliding_window: 64, expected none"),
        config("attention_multiplier", "0.5", "attention_multiplier: 0.5, expected"),
        config("query_pre_attn_scalar", "256", "query_pre_attn_scalar: 256, expected"),
        config("embedding_multiplier", "12", "embedding_multiplier: 12, expected 1"),
        config("residual_multiplier", "0.22", "residual_multiplier: 0.22, expected 1"),
        config("logits_scaling", "8", "logits_scaling: 8, expected 1"),
        config("final_logit_softcapping", "30", "final_logit_softcapping: 30, expected 0"),
        config("clip_qkv", "8", "clip_qkv: 8, expected 0"),
        config("num_local_experts", "8", "num_local_experts: 8, expected 0"),
        config(
            "rope_scaling",
            "{\"type\":\"longrope\",\"factor\":4,\"short_factor\":[1,2,3,4],\"long_factor\":[1,2,3,4],\"original_max_position_embeddings\":1}",
            "expected finite angles"),
        config("quantization", "{\"bits\":4}", "quantization: a quantized model"),
        config("quantization_config", "{}", "quantization_config: a quantized model"),
        config("rope_scaling", "3", "rope_scaling: 3, expected an object"),
        config(
            "rope_scaling", "{\"rope_type\":\"ntk\"}", "rope_scaling.rope_type: 'ntk', expected"),
        config("rope_scaling", "{\"type\":\"yarn\"}", "rope_scaling.factor: absent"),
        config(
            "rope_scaling",
            "{\"type\":\"yarn\",\"factor\":4,\"truncate\":false}",
            "rope_scaling.truncate: false"),
        config(
            "rope_scaling",
            "{\"type\":\"yarn\",\"factor\":4,\"mscale\":1}",
            "rope_scaling.mscale: 1, expected none"),
        config("rope_scaling", "{\"type\":\"dynamic\"}", "rope_scaling.factor: absent"),
        config("rope_scaling", "{\"type\":\"linear\"}", "rope_scaling.factor: absent"),
        config("rope_scaling", "{\"type\":\"linear\",\"factor\":0}", "rope_scaling.factor: 0"),
        config(
            "rope_scaling",
            "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4,\"original_max_position_embeddings\":8192}",
            "less than high_freq_factor"),
        config("eos_token_id", "[\"x\"]", "expected an array of integers"),
        config("eos_token_id", "9999", "eos_token_id = 9999, expected 0 .. 261"));
  }

  private static Arguments config(String key, String json, String part) {
    return Arguments.of(key, json, part);
  }

  @ParameterizedTest(name = "{0} = {1}")
  @MethodSource("configs")
  void configIsRefusedInOneLine(String key, String json, String part) throws IOException {
    change(sound(), "config.json", key, json);
    refused(part);
  }

  @ParameterizedTest(name = "{0} = {1}")
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "dim, 33, dim: 33",
        "n_heads, , n_heads: absent",
        "n_kv_heads, 3, n_kv_heads: 3",
        "use_scaled_rope, true, rope_scaling_factor: absent with use_scaled_rope",
        "moe_args, {}, moe_args: present",
        "vision_args, {}, vision_args: present",
        "attention_chunk_size, 8192, attention_chunk_size: present",
        "use_qk_norm, true, `use_qk_norm: true, expected false`",
        "norm_eps, 1e300, norm_eps: 1.0E300",
        "rope_theta, 1e-9, rope_theta: 1.0E-9",
        "norm_eps, -1, norm_eps: -1",
      })
  void paramsAreRefusedInOneLine(String key, String json, String part) throws IOException {
    MetaFolder.renameFromHuggingFace(sound());
    change(folder, "params.json", key, json);
    refused(part);
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    sound();
    Files.delete(folder.resolve("config.json"));
    refused("config.json: no such file");
    Files.writeString(folder.resolve("config.json"), "{} ");
    refused("model_type: absent");
    Files.writeString(folder.resolve("config.json"), "{\"a\":1,}");
    refused("config.json: JSON, byte");
    Files.write(folder.resolve("config.json"), new byte[(1 << 20) + 1]);
    refused("1048577 bytes, expected at most 1048576");
  }

  @Test
  void twoSpellingsOfRopeMustMeanTheSame() throws IOException {
    change(sound(), "config.json", "rope_scaling", "{\"type\":\"linear\",\"factor\":2}");
    change(folder, "config.json", "rope_parameters", "{\"rope_type\":\"linear\",\"factor\":4}");
    refused("rope_scaling: another scaling, expected that of rope_parameters");
  }

  @Test
  void oneFileOfAFolderIsRefusedWithTheFolder() throws IOException {
    Path file = sound().resolve("model.safetensors");
    LlamaException refused =
        assertThrows(LlamaException.class, () -> LlamaModel.load(file, OPTIONS).close());
    assertTrue(refused.getMessage().endsWith("or the folder: " + folder), refused.getMessage());
  }

  @Test
  void theSoundFolderLoadsAlsoAsTransformers5WritesIt() throws IOException {
    change(sound(), "config.json", "rope_theta", null);
    change(
        folder,
        "config.json",
        "rope_parameters",
        "{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":5000}");
    try (LlamaModel model = LlamaModel.load(folder, OPTIONS)) {
      assertEquals(new RopeShape(8, 5000, new RopeScaling.Linear(4)), model.config().rope());
      assertEquals(8, model.config().headDim());
    }
  }

  @Test
  void valuesThatChangeNothingAreTaken() throws IOException {
    change(sound(), "config.json", "sliding_window", "null");
    change(folder, "config.json", "logits_scaling", "1.0");
    change(folder, "config.json", "hidden_act", "\"swish\"");
    change(folder, "config.json", "attention_multiplier", "0.35355339");
    change(folder, "config.json", "pretraining_tp", "2");
    change(folder, "config.json", "rope_scaling", "{\"type\":\"linear\",\"factor\":4}");
    change(folder, "config.json", "rope_parameters", "{\"rope_type\":\"linear\",\"factor\":4}");
    try (LlamaModel model = LlamaModel.load(folder, OPTIONS)) {
      assertEquals(new RopeScaling.Linear(4), model.config().rope().scaling());
    }
  }

  private Path sound() throws IOException {
    Path gguf = new SyntheticModel().write(folder.resolve("model.gguf"));
    HuggingFaceFolder.write(gguf, folder, 1);
    Files.delete(gguf);
    return folder;
  }

  private static void change(Path folder, String file, String key, String json) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = (ObjectNode) mapper.readTree(folder.resolve(file).toFile());
    if (json == null) {
      root.remove(key);
    } else {
      root.set(key, mapper.readTree(json));
    }
    mapper.writeValue(folder.resolve(file).toFile(), root);
  }

  private void refused(String part) {
    RuntimeException refused =
        assertThrows(RuntimeException.class, () -> LlamaModel.load(folder, OPTIONS).close());
    assertTrue(
        refused instanceof LlamaException
            || refused instanceof CheckpointException
            || refused instanceof TokenizerException,
        refused.toString());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
  }
}
