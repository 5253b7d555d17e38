package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Metadata that changes a model's numbers: honoured as llama.cpp has it, or refused, and never
/// passed over.
class ModelNumbersTest {
  @TempDir Path folder;

  private static final float NAN = Float.NaN;

  static Stream<Arguments> refused() {
    return Stream.of(
            List.<Object>of("llama.rope.scaling.type", "longrope"), // has its tensors
            List.<Object>of("llama.rope.scaling.type", "dynamic"),
            List.<Object>of("llama.rope.scaling.type", "\u001b[2Jx"),
            List.<Object>of("llama.rope.scaling.factor", -2f),
            List.<Object>of("llama.rope.scaling.factor", NAN),
            List.<Object>of("llama.rope.scaling.factor", 1e-30f),
            List.<Object>of("llama.rope.scale_linear", Float.POSITIVE_INFINITY),
            List.<Object>of("llama.rope.scaling.attn_factor", 1.2f),
            List.<Object>of("llama.rope.scaling.yarn_ext_factor", 1f),
            List.<Object>of("llama.rope.scaling.yarn_attn_factor", 0.5f),
            List.<Object>of("llama.rope.scaling.yarn_log_multiplier", 0.1f),
            List.<Object>of("llama.rope.freq_scale", 0.25f),
            List.<Object>of("llama.rope.freq_base", 1e-20f),
            List.<Object>of("llama.rope.freq_base", 3e38f),
            List.<Object>of("llama.rope.freq_base_swa", 10_000f),
            List.<Object>of("llama.rope.scaling.faktor", 4f),
            List.<Object>of("llama.attention.scale", 0.5f),
            List.<Object>of("llama.attention.clamp_kqv", 8f),
            List.<Object>of("llama.attention.max_alibi_bias", 8f),
            List.<Object>of("llama.attention.causal", false),
            List.<Object>of("llama.attention.sliding_window", -1L),
            List.<Object>of("llama.attention.sliding_window", new int[] {8, 16}),
            List.<Object>of("llama.attention.sliding_window_pattern", 2L),
            List.<Object>of("llama.attention.value_length", 16L),
            List.<Object>of("llama.attention.layer_norm_epsilon", 1e-5f),
            List.<Object>of("llama.attention.layer_norm_rms_epsilon", 0f),
            List.<Object>of("llama.attention.layer_norm_rms_epsilon", 1e30f),
            List.<Object>of("llama.attention.layer_norm_rms_epsilon", 1e-40f),
            List.<Object>of("llama.attention.layer_norm_rms_epsilon", Float.POSITIVE_INFINITY),
            List.<Object>of("llama.attn_logit_softcapping", 50f),
            List.<Object>of("llama.final_logit_softcapping", 30f),
            List.<Object>of("llama.final_logit_softcapping", NAN),
            List.<Object>of("llama.logit_scale", 8f),
            List.<Object>of("llama.logit_scale", new int[] {1}),
            List.<Object>of("llama.embedding_scale", 12f),
            List.<Object>of("llama.residual_scale", 0.22f),
            List.<Object>of("llama.use_parallel_residual", true),
            List.<Object>of("llama.tensor_data_layout", "transposed"),
            List.<Object>of("llama.expert_count", 8L),
            List.<Object>of("llama.pooling_type", 1L),
            List.<Object>of("llama.norm.offset", 1f),
            List.<Object>of("llama.x\u001b[31m\n", 1f),
            List.<Object>of("rope.freq_base", 500_000f),
            List.<Object>of("logit_scale", 1f))
        .map(pair -> Arguments.of(pair.get(0), pair.get(1)));
  }

  @ParameterizedTest(name = "{0} = {1}")
  @MethodSource("refused")
  void isRefusedInOneLineThatNamesIt(String key, Object value) {
    RuntimeException refused =
        assertThrows(RuntimeException.class, () -> config(new SyntheticModel().with(key, value)));
    assertTrue(
        refused instanceof LlamaException || refused instanceof GgufException, refused.toString());
    String name =
        key.contains("\n") ? "llama.x\\u001b[31m\\n" : key.substring(key.indexOf('.') + 1);
    assertTrue(refused.getMessage().contains(name), refused.getMessage());
    assertTrue(refused.getMessage().chars().noneMatch(c -> c < ' '), refused.getMessage());
  }

  @Test
  void anEpsilonThatIsNotThereIsRefused() {
    String message =
        assertThrows(
                LlamaException.class,
                () ->
                    config(
                        new SyntheticModel().with("llama.attention.layer_norm_rms_epsilon", null)))
            .getMessage();
    assertEquals("model: metadata lacks llama.attention.layer_norm_rms_epsilon", message);
  }

  /// A factor is linear where no type is given, counts for nothing with the type none, has an older
  /// name, and 0 is none.
  @Test
  void linearScalingIsReadAsLlamaCppReadsIt() throws IOException {
    String type = "llama.rope.scaling.type";
    String factor = "llama.rope.scaling.factor";
    String old = "llama.rope.scale_linear";
    for (Map.Entry<SyntheticModel, Double> row :
        List.of(
            Map.entry(new SyntheticModel(), 1.0),
            Map.entry(new SyntheticModel().with(type, "linear"), 1.0),
            Map.entry(new SyntheticModel().with(type, "linear").with(factor, 4f), 0.25),
            Map.entry(new SyntheticModel().with(factor, 8f), 0.125),
            Map.entry(new SyntheticModel().with(old, 2f), 0.5),
            Map.entry(new SyntheticModel().with(old, 2f).with(factor, 4f), 0.25),
            Map.entry(new SyntheticModel().with(old, 2f).with(factor, 0f), 0.5),
            Map.entry(new SyntheticModel().with(type, "none").with(factor, 4f), 1.0),
            Map.entry(new SyntheticModel().with(factor, 0f), 1.0))) {
      RopeScaling linear = new RopeScaling.Linear(1 / row.getValue());
      assertEquals(linear, config(row.getKey()).rope().scaling());
    }
  }

  @Test
  void valuesThatChangeNothingAreTaken() throws IOException {
    LlamaConfig config =
        config(
            new SyntheticModel()
                .with("llama.rope.scaling.original_context_length", 8192L)
                .with("llama.rope.scaling.attn_factor", 1f)
                .with("llama.rope.scaling.yarn_ext_factor", -1f)
                .with("llama.rope.scaling.finetuned", true)
                .with("llama.attention.scale", (float) (1 / Math.sqrt(8)))
                .with("llama.attention.sliding_window", 256L)
                .with("llama.attention.causal", true)
                .with("llama.attention.value_length", 8L)
                .with("llama.attention.clamp_kqv", 0f)
                .with("llama.logit_scale", 1f)
                .with("llama.residual_scale", 0f)
                .with("llama.final_logit_softcapping", -0f)
                .with("llama.expert_count", 0L)
                .with("llama.tensor_data_layout", "Meta AI original pth")
                .with("general.url", "https://example.org")
                .with("quantize.imatrix.file", "x"));
    assertEquals(config(new SyntheticModel()), config);
  }

  private LlamaConfig config(SyntheticModel model) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(model.write(folder.resolve("model.gguf")))) {
      return checkpoint.config();
    }
  }
}
