package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.checkpoint.ModelFolder;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerFolder;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Llama 3 vocabulary as `tokenizer.json`: the same ids as from GGUF, and as llama.cpp's.
class FolderTokenizerTest {
  @TempDir Path folder;

  @Test
  void llama3EqualsTheGgufFileAndLlamaCpp() throws IOException {
    Path vocabulary = SharedFiles.file("models/llama3-vocab.gguf");
    Tokenizer gguf = LlamaModel.loadTokenizer(vocabulary);
    try (GgufFile file = GgufFile.open(vocabulary)) {
      HuggingFaceFolder.writeTokenizer(file.metadata(), folder);
    }
    Tokenizer json = LlamaModel.loadTokenizer(folder);
    assertEquals(128_256, json.vocabularySize());
    assertEquals(gguf.endOfGeneration(), json.endOfGeneration());
    assertEquals(gguf.bos(), json.bos());
    assertEquals(gguf.eos(), json.eos());
    assertEquals(gguf.eot(), json.eot());
    int texts = 0;
    for (JsonNode vector :
        new ObjectMapper()
            .readTree(SharedFiles.file("models/llama3-tokenizer-vectors.json").toFile())) {
      String text = vector.get("text").asText();
      assertArrayEquals(ints(vector.get("ids")), json.encode(text, false), text);
      assertArrayEquals(ints(vector.get("ids_special")), json.encodePrompt(text, true), text);
      texts++;
    }
    assertEquals(22, texts);
    long seed = 20261122;
    Random random = new Random(seed);
    for (int n = 0; n < 500; n++) {
      String text =
          random
              .ints(60, 0, n % 2 == 0 ? 0x80 : 0x3000)
              .filter(c -> c < Character.MIN_SURROGATE)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString();
      assertArrayEquals(gguf.encode(text, true), json.encode(text, true), "seed " + seed);
    }
  }

  /// What a GGUF file made of the folder says about its vocabulary is what the first one said.
  @Test
  void llama3InAGgufFileMadeOfTheFolderIsTheSame() throws IOException {
    Path vocabulary = SharedFiles.file("models/llama3-vocab.gguf");
    Path made = folder.resolve("made.gguf");
    try (GgufFile file = GgufFile.open(vocabulary)) {
      HuggingFaceFolder.writeTokenizer(file.metadata(), folder);
      try (GgufWriter writer = GgufWriter.create(made)) {
        TokenizerFolder.write(ModelFolder.open(folder), List.of(), 0, writer);
        writer.finish();
      }
      try (GgufFile copy = GgufFile.open(made)) {
        GgufMetadata a = file.metadata();
        GgufMetadata b = copy.metadata();
        assertEquals(a.strings("tokenizer.ggml.tokens"), b.strings("tokenizer.ggml.tokens"));
        assertEquals(a.strings("tokenizer.ggml.merges"), b.strings("tokenizer.ggml.merges"));
        assertArrayEquals(a.ints("tokenizer.ggml.token_type"), b.ints("tokenizer.ggml.token_type"));
        for (String key : List.of("model", "pre", "bos_token_id", "eos_token_id")) {
          assertEquals(a.describe("tokenizer.ggml." + key), b.describe("tokenizer.ggml." + key));
        }
      }
    }
    assertEquals(
        LlamaModel.loadTokenizer(vocabulary).endOfGeneration(),
        LlamaModel.loadTokenizer(made).endOfGeneration());
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
