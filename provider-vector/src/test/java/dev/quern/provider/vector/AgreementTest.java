package dev.quern.provider.vector;

import dev.quern.KernelOptions;
import dev.quern.llama.Agreement;
import dev.quern.llama.EngineTexts;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.QuantizedModel;
import dev.quern.testing.SharedFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole models on the vector provider as users get it, with whatever numerics it prefers and an
/// F16 cache, against the scalar one with exact numerics and an F32 cache.
class AgreementTest {
  @TempDir private Path folder;

  @Test
  void distributionsOfStories260KAgree() throws Exception {
    Agreement.assertDistributions(SharedFiles.file("models/stories260K-Q4_0.gguf"), vector());
  }

  @Test
  void distributionsOfTheDemoModelInQ4_0Agree() throws Exception {
    Agreement.assertDistributions(Agreement.demoInQ4_0(folder), vector());
  }

  @Test
  void anEnginesTextsAreThoseOfEachAlone() throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(vector())) {
      EngineTexts.assertThoseOfEachAlone(model);
    }
    Path stories = SharedFiles.file("models/stories260K.gguf");
    try (LlamaModel model = LlamaModel.load(stories, vector())) {
      EngineTexts.assertThoseOfEachAlone(model);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_M", "Q5_K_M", "Q6_K"
      })
  void logitsOfTiny1Agree(String format) throws Exception {
    Agreement.assertLogits(SharedFiles.file("models/tiny1-" + format + ".gguf"), vector());
  }

  static List<String> mixes() {
    return Agreement.MIXES;
  }

  @ParameterizedTest
  @MethodSource("mixes")
  void logitsOfMixedFilesAgree(String mix) throws Exception {
    Path file = Agreement.mixed(mix, folder);
    try (LlamaModel model = LlamaModel.load(file, vector())) {
      model.report().assertNoFallback("vector");
    }
    Agreement.assertLogits(file, vector());
  }

  /// Int4 blocks and int8 channels, with SpinQuant's rotation and with adaptors, which add to
  /// columns of what other kernels wrote.
  @ParameterizedTest
  @CsvSource({"SpinQuant, true, false", "QLoRA, false, true"})
  void logitsOfTheQuantizedLlamaAgree(String name, boolean spinQuant, boolean adaptors)
      throws Exception {
    Path file = new QuantizedModel(Agreement.SEED, spinQuant, adaptors).write(folder, false);
    try (LlamaModel model = LlamaModel.load(file, vector())) {
      model.report().assertNoFallback("vector");
    }
    Agreement.assertLogits(file, vector());
  }

  static List<Arguments> families() {
    return Agreement.FAMILIES.stream()
        .flatMap(family -> Stream.of("F32", "Q8_0").map(format -> Arguments.of(family, format)))
        .toList();
  }

  /// Longer than the windows.
  @ParameterizedTest
  @MethodSource("families")
  void logitsOfTheFamiliesAgree(String family, String format) throws Exception {
    Path file = Agreement.tiny(family, format, folder);
    try (LlamaModel model = LlamaModel.load(file, vector())) {
      model.report().assertNoFallback("vector");
    }
    Agreement.assertLogits(file, vector());
  }

  private static LoadOptions vector() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", "vector");
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }
}
