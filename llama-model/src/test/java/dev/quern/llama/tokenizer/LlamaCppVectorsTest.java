package dev.quern.llama.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.gguf.GgufFile;
import dev.quern.testing.LeftOut;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The texts of llama.cpp's own tests, and their ids.
class LlamaCppVectorsTest {
  @ParameterizedTest
  @CsvSource({
    "gpt-2, vocabularies/ggml-vocab-gpt-2.gguf",
    "llama-bpe, models/llama3-vocab.gguf",
    "llama-spm, vocabularies/ggml-vocab-llama-spm.gguf",
    "phi-3, vocabularies/ggml-vocab-phi-3.gguf"
  })
  void idsAreThose(String name, String vocabulary) throws IOException {
    check(name, SharedFiles.file(vocabulary));
  }

  /// Its vocabulary is not among the reference files; who has it puts it beside the others.
  @Test
  void idsAreThoseOfQwen2() throws IOException {
    Path texts = SharedFiles.file("vocabularies/ggml-vocab-qwen2.gguf.inp");
    Path vocabulary = texts.resolveSibling("ggml-vocab-qwen2.gguf");
    if (!Files.exists(vocabulary)) {
      throw LeftOut.ended(getClass(), vocabulary.getFileName() + " is absent");
    }
    check("qwen2", vocabulary);
  }

  private static void check(String name, Path vocabulary) throws IOException {
    String file = "vocabularies/ggml-vocab-" + name + ".gguf";
    String[] texts =
        Files.readString(SharedFiles.file(file + ".inp"), UTF_8)
            .split("\n__ggml_vocab_test__\n", -1);
    List<String> lines = Files.readAllLines(SharedFiles.file(file + ".out"), UTF_8);
    try (GgufFile gguf = GgufFile.open(vocabulary)) {
      Tokenizer tokenizer = Tokenizer.from(gguf.metadata());
      for (int n = 0; n < lines.size(); n++) {
        int[] ids =
            Stream.of(lines.get(n).trim().split(" "))
                .filter(id -> !id.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
        assertArrayEquals(
            ids,
            tokenizer.encode(texts[n], false),
            TokenizerException.quote(texts[n]) + Arrays.toString(ids));
      }
      assertEquals(46, lines.size());
    }
  }
}
