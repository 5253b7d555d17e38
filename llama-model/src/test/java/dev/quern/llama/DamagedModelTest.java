package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.checkpoint.RopeScaling;
import dev.quern.llama.checkpoint.RopeShape;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufException;
import dev.quern.llama.tokenizer.TokenizerException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Files that are sound GGUF and no Llama model as Quern runs it: each is refused in one line.
class DamagedModelTest {
  private static final LoadOptions OPTIONS = LoadOptions.defaults().withThreads(1);

  @TempDir Path folder;

  static Stream<Arguments> damages() {
    return Stream.of(
        damage(
            "general.architecture",
            null,
            "general.architecture is 'none', expected one of 'llama', 'qwen2'"),
        damage("general.architecture", "gemma", "is 'gemma', expected one of 'llama', 'qwen2'"),
        damage("llama.block_count", null, "metadata lacks llama.block_count"),
        damage("llama.block_count", 0L, "llama.block_count=0, expected 1 to"),
        damage("llama.block_count", -1L, "llama.block_count=-1, expected 1 to"),
        damage("llama.block_count", Long.MAX_VALUE, "llama.block_count=9223372036854775807"),
        damage("llama.block_count", 3L, "blk.2.attn_norm.weight"),
        damage("llama.block_count", 1L, "9 tensors are not part of a Llama model"),
        damage("llama.block_count", "two", "llama.block_count"),
        damage("llama.embedding_length", 64L, "is [32, 262], expected [64, 262]"),
        damage("llama.feed_forward_length", 47L, "is [32, 48], expected [32, 47]"),
        damage("llama.attention.head_count", 3L, "expected a multiple of head_count_kv=2"),
        damage("llama.attention.head_count", 32L, "is 1, expected an even number"),
        damage("llama.attention.head_count_kv", 0L, "head_count_kv=0, expected 1 to"),
        damage("llama.attention.head_count_kv", new int[] {2, 1}, "differs between layers"),
        damage("llama.attention.key_length", 7L, "is 7, expected an even number"),
        damage("llama.attention.key_length", 16L, "is [32, 32], expected [32, 64]"),
        damage("llama.context_length", 0L, "llama.context_length=0"),
        damage("llama.attention.layer_norm_rms_epsilon", -1f, "expected a positive finite number"),
        damage("llama.attention.layer_norm_rms_epsilon", Float.NaN, "layer_norm_rms_epsilon=NaN"),
        damage("llama.rope.freq_base", 0f, "llama.rope.freq_base=0.0"),
        damage("llama.rope.freq_base", Float.POSITIVE_INFINITY, "llama.rope.freq_base=Infinity"),
        damage("llama.rope.dimension_count", 10L, "dimension_count=10, expected 1 to 8"),
        damage("llama.rope.dimension_count", 5L, "is 5, expected an even number"),
        damage("llama.rope.scaling.type", "ntk", "scaling.type is 'ntk', expected none, linear"),
        damage("llama.rope.scaling.type", "yarn", "metadata lacks llama.rope.scaling.factor"),
        damage(
            "llama.rope.scaling.type", "longrope", "tensor rope_factors_short.weight is missing"),
        damage("llama.expert_count", 8L, "llama.expert_count = int64 8, expected 0.0, or none"),
        damage("tokenizer.ggml.tokens", List.of("a", "b"), "tokenizer.ggml."),
        damage("tokenizer.ggml.pre", "bloom", "tokenizer.ggml.pre"),
        tensor("token_embd.weight", new long[0], "token_embd.weight"),
        tensor("token_embd.weight", new long[] {32}, "token_embd.weight has 0 rows"),
        tensor("token_embd.weight", new long[] {32, 200}, "262 tokens, expected at most 200"),
        tensor("output_norm.weight", new long[0], "output_norm.weight"),
        tensor("output_norm.weight", new long[] {32, 1}, "is [32, 1], expected [32]"),
        tensor("blk.1.attn_k.weight", new long[] {32, 32}, "is [32, 32], expected [32, 16]"),
        tensor("blk.0.attn_q.bias", new long[] {32}, "blk.0.attn_q.bias"),
        tensor("rope_freqs.weight", new long[] {5}, "is [5], expected [4]"));
  }

  private static Arguments damage(String key, Object value, String message) {
    UnaryOperator<SyntheticModel> damage = model -> model.with(key, value);
    return Arguments.of(key + "=" + value, damage, message);
  }

  private static Arguments tensor(String name, long[] dims, String message) {
    UnaryOperator<SyntheticModel> damage = model -> model.withTensor(name, dims);
    return Arguments.of(name + List.of(dims.length), damage, message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void isRefusedInOneLine(String name, UnaryOperator<SyntheticModel> damage, String part)
      throws IOException {
    Path file = damage.apply(new SyntheticModel()).write(folder.resolve("damaged.gguf"));
    RuntimeException refused =
        assertThrows(RuntimeException.class, () -> LlamaModel.load(file, OPTIONS).close());
    assertTrue(
        refused instanceof LlamaException
            || refused instanceof GgufException
            || refused instanceof TokenizerException,
        refused.toString());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
  }

  @Test
  void theSoundFileLoads() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("sound.gguf"));
    try (LlamaModel model = LlamaModel.load(file, OPTIONS)) {
      assertEquals(8, model.config().headDim());
      assertEquals(256, model.context());
    }
  }

  @Test
  void uniformArraysPartialRotationAndWideHeadsAreRead() throws IOException {
    SyntheticModel wide =
        new SyntheticModel()
            .with("llama.attention.head_count_kv", new int[] {2, 2})
            .with("llama.attention.key_length", 16L)
            .with("llama.rope.dimension_count", 4L)
            .with("llama.rope.scaling.type", "linear")
            .with("llama.rope.scaling.factor", 4f);
    for (int l = 0; l < 2; l++) {
      wide.withTensor("blk." + l + ".attn_q.weight", 32, 64)
          .withTensor("blk." + l + ".attn_k.weight", 32, 32)
          .withTensor("blk." + l + ".attn_v.weight", 32, 32)
          .withTensor("blk." + l + ".attn_output.weight", 64, 32);
    }
    try (LlamaModel model = LlamaModel.load(wide.write(folder.resolve("wide.gguf")), OPTIONS);
        LlamaSession session = model.newSession()) {
      assertEquals(2, model.config().kvHeads());
      assertEquals(16, model.config().headDim());
      assertEquals(new RopeShape(4, 10_000, new RopeScaling.Linear(4)), model.config().rope());
      assertEquals(5, session.generate("x", GenerationOptions.greedy(5), t -> {}).tokens().size());
    }
  }
}
