package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.testing.SharedFiles;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Greedy text is that of the scalar provider.
class VectorModelTest {
  private static final int TOKENS = 150;

  @ParameterizedTest
  @ValueSource(strings = {"F16", "F32"})
  void theDemoModelTellsTheSameStory(String kv) throws Exception {
    KvFormat format = kv.equals("F16") ? KvFormat.F16 : KvFormat.F32;
    assertEquals(demo("scalar", format), demo("vector", format));
  }

  /// With int8 activations roundings decide where two tokens are nearly as likely, and the stories
  /// part at last. How far distributions are apart is AgreementTest's to say.
  @ParameterizedTest
  @CsvSource({
    "stories260K.gguf, 150",
    "stories260K-Q4_0.gguf, 40",
    "stories260K-Q8_0.gguf, 40",
  })
  void stories260KTellsTheSameStory(String name, int tokens) throws Exception {
    Path file = SharedFiles.file("models/" + name);
    assertEquals(file(file, "scalar", tokens), file(file, "vector", tokens));
  }

  private static String demo(String provider, KvFormat kv) throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options(provider).withKv(kv))) {
      return text(model, TOKENS);
    }
  }

  private static String file(Path file, String provider, int tokens) throws Exception {
    try (LlamaModel model = LlamaModel.load(file, options(provider))) {
      return text(model, tokens);
    }
  }

  private static LoadOptions options(String provider) {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", provider);
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }

  private static String text(LlamaModel model, int tokens) {
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      session.generate("Once upon a time", GenerationOptions.greedy(tokens), text::append);
    }
    assertTrue(text.length() > tokens, text.toString());
    return text.toString();
  }
}
