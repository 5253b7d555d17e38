package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whole models on this CPU. Their logits go to files, which [ArmLaneIT] compares between rows and
/// with exact arithmetic.
@Tag("arm-models")
class ModelsRowTest {
  @ParameterizedTest
  @EnumSource
  void runs(ModelRuns model) throws IOException {
    Path out = Path.of(System.getProperty("quern.arm.out"));
    ModelRuns.Run run = model.onKleidi(out);
    run.write(out, model.id());
    assertFalse(run.logits().isEmpty());
    if (model != ModelRuns.TINY1_Q4_0) {
      System.out.println(model.id() + ": " + run.text().strip().replace('\n', ' '));
      assertTrue(run.text().contains(" "), "no text: '" + run.text() + "'");
    }
  }
}
