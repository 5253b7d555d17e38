package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Operator;
import dev.quern.data.BlockFormat;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whole models on this CPU. Their logits go to files, which [ArmLaneIT] compares between rows and
/// with exact arithmetic.
@Tag("arm-models")
class ModelsRowTest {
  private static final Path OUT = Path.of(System.getProperty("quern.arm.out"));

  @ParameterizedTest
  @EnumSource
  void runs(ModelRuns model) throws IOException {
    ModelRuns.Run run = model.onKleidi(OUT);
    run.write(OUT, model.id());
    assertFalse(run.logits().isEmpty());
    if (model.hasVocabulary()) {
      System.out.println(model.id() + ": " + run.text().strip().replace('\n', ' '));
      assertTrue(run.text().contains(" "), "no text: '" + run.text() + "'");
    }
  }

  /// The text that two other engines print, token by token, with all linears on KleidiAI.
  @Test
  void f32WeightsGiveTheReferenceTokens() throws IOException {
    String expected = Files.readString(SharedFiles.file("models/stories260K.expected.txt"));
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(2)
            .withKernels(KernelOptions.fromSystem().withProvider("kleidi,scalar"));
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.load(ModelRuns.STORIES_F32.file(OUT), options);
        LlamaSession session = model.newSession()) {
      model.report().assertNoFallback("kleidi", Operator.LINEAR);
      session.generate("", GenerationOptions.greedy(48), text::append);
    }
    assertTrue(text.length() > 100, text.toString());
    assertEquals(expected.substring(0, text.length()), text.toString());
  }

  /// What `quern explain` prints: both kernels by name.
  @Test
  void explainNamesTheKernels() throws IOException {
    String cpu = System.getProperty("quern.arm.cpu");
    Assumptions.assumeFalse(
        cpu.equals(ArmCpu.THIS_MACHINE), "an Arm machine itself has no row in the table");
    List<String> kernels =
        ArmKernels.of(cpu, System.getProperty("quern.arm.library")).of(BlockFormat.Q4_0);
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(KernelOptions.fromSystem().withProvider("kleidi,scalar"));
    String text = LlamaModel.explain(ModelRuns.STORIES_Q4_0.file(OUT), options).text();
    String line =
        String.format(
            Locale.ROOT,
            "    %s int8-sym-32-f16, from 2 rows %s int8-sym-32-f16",
            kernels.toArray());
    assertTrue(text.contains(line), "no line\n" + line + "\nin\n" + text);
  }
}
