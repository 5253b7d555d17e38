package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.Agreement;
import dev.quern.llama.EngineTexts;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.QuantizedModel;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Whole models on each row of the table of CPUs that the machine has, as users get it, against the
/// scalar provider, and against what other engines wrote.
class ModelAgreementTest {
  private static final List<String> FORMATS =
      List.of(
          "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_M", "Q5_K_M", "Q6_K");

  @TempDir private Path folder;

  /// What is compared on a row.
  private interface Check {
    void on(LoadOptions options) throws Exception;
  }

  private static Stream<DynamicTest> onEachRow(String name, Check check) throws IOException {
    return onEachRow(Map.of(name, check));
  }

  private static Stream<DynamicTest> onEachRow(Map<String, Check> checks) throws IOException {
    Set<String> host = Host.features();
    List<DynamicTest> all = new ArrayList<>();
    for (CpuRow row : CpuRow.table()) {
      String refusal = Host.refusal(row);
      if (refusal.isEmpty()) {
        LoadOptions options = RowModels.options(row, host, "any");
        checks.forEach((name, check) ->
            all.add(DynamicTest.dynamicTest(row + " " + name, () -> check.on(options))));
      } else {
        all.add(
            DynamicTest.dynamicTest(
                row.name(), () -> Host.leftOut("whole models on CPU row " + row + ": " + refusal)));
      }
    }
    return all.stream();
  }

  /// What llama2.c and llama.cpp print, too: from the start token on.
  @TestFactory
  Stream<DynamicTest> stories260KIsToldAsOthersTellIt() throws Exception {
    String expected = Files.readString(SharedFiles.file("models/stories260K.expected.txt"));
    return onEachRow(
        "greedy text",
        options -> {
          try (LlamaModel model =
              LlamaModel.load(SharedFiles.file("models/stories260K.gguf"), options)) {
            RowModels.assertX86(model);
            assertEquals(expected, greedy(model, "", 200));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> theDemoModelTellsWhatItTellsOnScalar() throws Exception {
    KernelOptions scalar = KernelOptions.fromSystem().with("quern.provider", "scalar");
    String expected = demo(LoadOptions.defaults().withKernels(scalar).withThreads(2));
    return onEachRow("demo", options -> assertEquals(expected, demo(options)));
  }

  private static String demo(LoadOptions options) throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(options)) {
      return greedy(model, "Once upon a time", 150);
    }
  }

  private static String greedy(LlamaModel model, String prompt, int tokens) {
    StringBuilder text = new StringBuilder();
    try (LlamaSession session = model.newSession()) {
      session.generate(prompt, GenerationOptions.greedy(tokens), text::append);
    }
    assertTrue(text.length() > tokens, text.toString());
    return text.toString();
  }

  @TestFactory
  Stream<DynamicTest> distributionsAgree() throws Exception {
    Path demo = Agreement.demoInQ4_0(folder);
    Path stories = SharedFiles.file("models/stories260K-Q4_0.gguf");
    return onEachRow(
        Map.of(
            "stories260K", options -> Agreement.assertDistributions(stories, options),
            "demo", options -> Agreement.assertDistributions(demo, options)));
  }

  @TestFactory
  Stream<DynamicTest> anEnginesTextsAreThoseOfEachAlone() throws Exception {
    Path stories = SharedFiles.file("models/stories260K.gguf");
    return onEachRow(
        "texts",
        options -> {
          try (LlamaModel model = LlamaModel.loadDemo(options)) {
            EngineTexts.assertThoseOfEachAlone(model);
          }
          try (LlamaModel model = LlamaModel.load(stories, options)) {
            EngineTexts.assertThoseOfEachAlone(model);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> logitsAgree() throws Exception {
    Map<String, Check> checks = new TreeMap<>();
    for (String mix : Agreement.MIXES) { // what x86 declines of them, the next provider takes
      Path file = Agreement.mixed(mix, folder);
      checks.put(mix, options -> Agreement.assertLogits(file, options));
    }
    for (String format : FORMATS) {
      Path file = SharedFiles.file("models/tiny1-" + format + ".gguf");
      checks.put(format, options -> Agreement.assertLogits(file, options));
    }
    return onEachRow(checks);
  }

  /// Int4 blocks and int8 channels on `int8-asym-row`, with SpinQuant's rotation and with adaptors.
  @TestFactory
  Stream<DynamicTest> theQuantizedLlamaAgrees() throws Exception {
    Path rotated = new QuantizedModel(Agreement.SEED, true, false).write(folder("rotated"), false);
    Path adapted = new QuantizedModel(Agreement.SEED, false, true).write(folder("adapted"), false);
    return onEachRow(
        Map.of(
            "SpinQuant", options -> Agreement.assertLogits(rotated, options),
            "QLoRA", options -> Agreement.assertLogits(adapted, options)));
  }

  /// Other families, whose windows, soft caps and GELU the next provider takes.
  @TestFactory
  Stream<DynamicTest> familiesAgree() throws Exception {
    Map<String, Check> checks = new TreeMap<>();
    for (String family : Agreement.FAMILIES) {
      for (String format : List.of("F32", "Q8_0")) {
        Path file = Agreement.tiny(family, format, folder);
        checks.put(
            family + " " + format,
            options -> {
              try (LlamaModel model = LlamaModel.load(file, options)) {
                RowModels.assertX86(model, ModelAgreementTest::declined);
              }
              if (format.equals("F32")) {
                Agreement.assertLogits(file, options);
              } else {
                Agreement.assertLogitsOnAverage(file, options);
              }
            });
      }
    }
    return onEachRow(checks);
  }

  private static boolean declined(String spec) {
    return Stream.of("window=", "softCap=", "GELU_TANH").anyMatch(spec::contains);
  }

  private Path folder(String name) throws IOException {
    return Files.createDirectory(folder.resolve(name));
  }
}
