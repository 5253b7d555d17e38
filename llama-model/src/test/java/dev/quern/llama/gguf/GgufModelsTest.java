package dev.quern.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Files written by llama.cpp and gguf-py, against what the README beside them says.
class GgufModelsTest {

  @ParameterizedTest
  @CsvSource({
    "F32, F32",
    "F16, F16",
    "BF16, BF16",
    "Q8_0, Q8_0",
    "Q4_0, Q4_0",
    "Q4_1, Q4_1",
    "Q5_0, Q5_0",
    "Q5_1, Q5_1",
    "Q4_K_M, Q4_K",
    "Q5_K_M, Q5_K",
    "Q6_K, Q6_K"
  })
  void tinyModelInEveryFormat(String file, String format) throws IOException {
    try (GgufFile model = open("models/tiny1-" + file + ".gguf");
        Arena arena = Arena.ofConfined()) {
      assertEquals(3, model.version());
      GgufMetadata metadata = model.metadata();
      assertEquals(Optional.of("llama"), metadata.string("general.architecture"));
      assertEquals(OptionalLong.of(2), metadata.integer("llama.block_count"));
      assertEquals(OptionalLong.of(256), metadata.integer("llama.embedding_length"));
      assertEquals(OptionalLong.of(768), metadata.integer("llama.feed_forward_length"));
      assertEquals(OptionalLong.of(8), metadata.integer("llama.attention.head_count"));
      assertEquals(OptionalLong.of(2), metadata.integer("llama.attention.head_count_kv"));
      assertEquals(OptionalLong.of(32), metadata.integer("llama.rope.dimension_count"));
      assertEquals(OptionalDouble.of(500000), metadata.number("llama.rope.freq_base"));

      assertEquals(21, model.tensors().size()); // 9 a layer, and 3
      assertFalse(model.findTensor("output.weight").isPresent(), "tied embeddings");
      assertArrayEquals(new long[] {16}, model.tensor("rope_freqs.weight").dims());
      assertEquals(16, model.vector(model.tensor("rope_freqs.weight")).length);
      assertEquals(256, model.vector(model.tensor("blk.1.ffn_norm.weight")).length);

      WeightMatrix down = model.weights(model.tensor("blk.1.ffn_down.weight"), arena);
      assertEquals(256, down.outputs());
      assertEquals(768, down.inputs());
      assertEquals(
          Set.of(format),
          model.tensors().stream()
              .filter(t -> t.dims().length == 2)
              .map(t -> t.format().orElseThrow().id())
              .collect(Collectors.toSet()));
      for (GgufTensor tensor : model.tensors()) {
        assertEquals(tensor.byteSize(), model.map(tensor, arena).byteSize());
      }
    }
  }

  @Test
  void trainedModelWithVocabulary() throws IOException {
    try (GgufFile model = open("models/stories260K.gguf")) {
      GgufMetadata metadata = model.metadata();
      assertEquals(OptionalLong.of(172), metadata.integer("llama.feed_forward_length"));
      assertEquals(OptionalLong.of(4), metadata.integer("llama.attention.head_count_kv"));
      assertEquals(Optional.of(true), metadata.bool("tokenizer.ggml.add_bos_token"));
      List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
      assertEquals(512, tokens.size());
      assertEquals("<s>", tokens.get(1));
      assertEquals(512, metadata.floats("tokenizer.ggml.scores").length);
      int[] types = metadata.ints("tokenizer.ggml.token_type");
      assertEquals(512, types.length);
      assertArrayEquals(new int[] {2, 3, 3, 6}, Arrays.copyOf(types, 4));
      assertTrue(model.tensors().stream().allMatch(t -> t.type().name().equals("F32")));
    }
  }

  @ParameterizedTest
  @CsvSource({"Q4_0, Q4_0", "Q8_0, Q8_0"})
  void quantizedModelOfMixedFormats(String file, String format) throws IOException {
    try (GgufFile model = open("models/stories260K-" + file + ".gguf")) {
      assertEquals(format, model.tensor("blk.0.attn_q.weight").type().name());
      assertEquals("F16", model.tensor("blk.0.ffn_down.weight").type().name());
      assertEquals("F32", model.tensor("blk.0.attn_norm.weight").type().name());
    }
  }

  @Test
  void theSameWeightsInF32AndF16() throws IOException {
    try (GgufFile exact = open("models/tiny1-F32.gguf");
        GgufFile half = open("models/tiny1-F16.gguf");
        Arena arena = Arena.ofConfined()) {
      String name = "blk.0.attn_k.weight";
      WeightMatrix f32 = exact.weights(exact.tensor(name), arena);
      WeightMatrix f16 = half.weights(half.tensor(name), arena);
      assertEquals(BlockFormat.F16, f16.format());
      for (int i = 0; i < f32.outputs() * f32.inputs(); i++) {
        float value = f32.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
        short bits = f16.data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i);
        assertEquals(Float.floatToFloat16(value), bits);
      }
    }
  }

  @Test
  void largeVocabulary() throws IOException {
    try (GgufFile file = open("models/llama3-vocab.gguf")) {
      GgufMetadata metadata = file.metadata();
      assertEquals(0, file.tensors().size());
      List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
      assertEquals(128256, tokens.size());
      assertEquals("<|begin_of_text|>", tokens.get(128000));
      assertEquals(280147, metadata.strings("tokenizer.ggml.merges").size());
      assertEquals(128256, metadata.ints("tokenizer.ggml.token_type").length);
      assertEquals(
          "string[280147] ['Ġ Ġ', 'Ġ ĠĠĠ', 'ĠĠ ĠĠ', 'ĠĠĠ Ġ', 'i n', 'Ġ t', ...]",
          metadata.describe("tokenizer.ggml.merges"));
      assertTrue(metadata.describe("tokenizer.chat_template").endsWith("...' (389 characters)"));
    }
  }

  @Test
  void everyFileOpensAndDescribesItself() throws IOException {
    for (String folder : List.of("models", "demo")) {
      try (var files = Files.list(SharedFiles.file(folder))) {
        for (var path : files.filter(f -> f.toString().endsWith(".gguf")).toList()) {
          try (GgufFile file = GgufFile.open(path)) {
            assertFalse(file.metadata().keys().isEmpty());
            for (String key : file.metadata().keys()) {
              assertTrue(file.metadata().describe(key).length() < 300, key);
            }
          }
        }
      }
    }
  }

  private static GgufFile open(String path) throws IOException {
    return GgufFile.open(SharedFiles.file(path));
  }
}
