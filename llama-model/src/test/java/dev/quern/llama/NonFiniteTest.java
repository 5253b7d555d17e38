package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.perplexity.Perplexity;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits that are NaN or infinite end a run in one line that says where they come from.
class NonFiniteTest {
  private static final LoadOptions OPTIONS =
      LoadOptions.defaults()
          .withThreads(2)
          .withKernels(KernelOptions.fromSystem().with("quern.provider", "scalar"));

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "token_embd.weight",
        "output_norm.weight",
        "blk.0.attn_norm.weight",
        "blk.0.attn_k.weight",
        "blk.1.attn_v.weight",
        "blk.1.attn_output.weight",
        "blk.1.ffn_norm.weight",
        "blk.1.ffn_gate.weight",
        "blk.1.ffn_down.weight"
      })
  void theTensorOfANaNIsNamed(String tensor) throws IOException {
    Path file =
        new SyntheticModel()
            .withWeights(tensor, (index, value) -> index == 7 ? Float.NaN : value)
            .write(folder.resolve("nan.gguf"));
    long weights = weights(file, tensor);
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      String message =
          message(() -> session.generate("Hi", GenerationOptions.greedy(3), text -> {}));
      String blamed =
          file + ": tensor '" + tensor + "': 1 of its " + weights + " weights NaN or infinite";
      assertTrue(message.startsWith(blamed), message);
      assertTrue(message.contains("is NaN at position 3"), message);
      assertEquals(1, message.lines().count());
      assertEquals(0, session.position() - 3); // the prompt; nothing was generated
    }
  }

  /// A scale of a block, wherever the format has it; or a weight.
  @ParameterizedTest
  @CsvSource({
    "F32, 0",
    "F16, 0",
    "BF16, 0",
    "Q8_0, 0",
    "Q4_0, 0",
    "Q4_1, 2",
    "Q5_0, 0",
    "Q5_1, 0",
    "Q4_K_M, 0",
    "Q5_K_M, 2",
    "Q6_K, 208"
  })
  void aBlockIsNamedInEveryFormat(String format, int at) throws IOException {
    Path original = SharedFiles.file("models/tiny1-" + format + ".gguf");
    Path file = folder.resolve("tiny.gguf");
    Files.copy(original, file);
    String tensor = "blk.1.ffn_up.weight";
    long offset;
    try (GgufFile gguf = GgufFile.open(file)) {
      offset = gguf.tensor(tensor).offset();
    }
    byte[] nan = format.equals("F32") ? new byte[] {0, 0, -64, 127} : new byte[] {-1, 127};
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(nan), offset + at);
    }
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      String message =
          message(() ->
              session.generateTokens(new int[] {1, 2}, GenerationOptions.greedy(3), token -> true));
      assertTrue(message.startsWith(file + ": tensor '" + tensor + "': "), message);
    }
  }

  @Test
  void evaluationAndPerplexityEndSoToo() throws IOException {
    Path file =
        new SyntheticModel()
            .withWeights(
                "blk.0.attn_q.weight", (i, value) -> i == 0 ? Float.NEGATIVE_INFINITY : value)
            .write(folder.resolve("nan.gguf"));
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      String message = message(() -> session.evaluate(new int[] {1, 2, 3}, logits -> {}));
      assertTrue(message.startsWith(file + ": tensor 'blk.0.attn_q.weight': 1 of"), message);
      assertEquals(0, session.position());
      message =
          message(() ->
              Perplexity.measure(
                  model, Perplexity.Phase.PREFILL, List.of(), new int[32], 8, 0, chunk -> {}));
      assertTrue(message.startsWith(file + ": tensor 'blk.0.attn_q.weight': 1 of"), message);
    }
  }

  /// Finite weights whose keys are too large for F16: no tensor is to blame.
  @Test
  void whereNoWeightIsToBlameTheLayerIsNamed() throws IOException {
    Path file =
        new SyntheticModel()
            .withWeights("blk.1.attn_k.weight", (i, value) -> 1e7f * value)
            .write(folder.resolve("large.gguf"));
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      String message = message(() -> session.evaluate(new int[] {1, 2}, logits -> {}));
      assertTrue(message.startsWith(file + ": sampling: the logit of token"), message);
      assertTrue(
          message.contains(
              "all weights are finite, and the first numbers that are not are the keys of layer 1 (of 2) at position 0"),
          message);
    }
    try (LlamaModel model = LlamaModel.load(file, OPTIONS.withKv(KvFormat.F32));
        LlamaSession session = model.newSession()) {
      session.evaluate(new int[] {1, 2}, logits -> {});
    }
  }

  @Test
  void aFileThatIsGoneIsNotBlamed() throws IOException {
    Path file =
        new SyntheticModel()
            .withWeights("blk.1.attn_v.weight", (i, value) -> i == 3 ? Float.NaN : value)
            .write(folder.resolve("gone.gguf"));
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      Files.delete(file);
      String message = message(() -> session.evaluate(new int[] {1, 2}, logits -> {}));
      assertTrue(message.contains("the file can't be read again: "), message);
      assertTrue(message.contains("the values of layer 1 (of 2) at position 0"), message);
    }
  }

  private static String message(Executable run) {
    return assertThrows(LlamaException.class, run).getMessage();
  }

  private static long weights(Path file, String tensor) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufTensor found = gguf.tensor(tensor);
      return found.byteSize() / Float.BYTES;
    }
  }
}
