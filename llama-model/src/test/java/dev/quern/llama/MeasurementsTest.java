package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What benchmarks put into a session, and what they read of its size.
class MeasurementsTest {
  @TempDir Path folder;

  @Test
  void theModelSaysWhatASessionWillTake() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    try (LlamaModel model = LlamaModel.load(file, scalar().withContext(100))) {
      assertEquals(2 * 2 * 2 * 8 * 100 * 2, model.kvCacheBytes()); // 2 layers, 2 KV heads of 8, F16
    }
  }

  @Test
  void noiseTakesThePlaceOfTokensAndTheRestGoesOn() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    try (LlamaModel model = LlamaModel.load(file, scalar().withBatch(7));
        LlamaSession session = model.newSession()) {
      float[] noise = logitsAfterNoise(session, 200, 1); // past the caches' first size, in batches
      assertArrayEquals(noise, logitsAfterNoise(session, 200, 1));
      assertFalse(Arrays.equals(noise, logitsAfterNoise(session, 200, 2)), "the seed matters");
      assertFalse(Arrays.equals(noise, logitsAfterNoise(session, 0, 1)), "the context matters");
      for (float logit : noise) {
        assertTrue(Float.isFinite(logit));
      }
      assertThrows(LlamaException.class, () -> Measurements.fillWithNoise(session, 256, 1));
    }
  }

  private static float[] logitsAfterNoise(LlamaSession session, int positions, long seed) {
    session.rewind(0);
    Measurements.fillWithNoise(session, positions, seed);
    assertEquals(positions, session.position());
    List<float[]> logits = new ArrayList<>();
    session.evaluate(new int[] {65}, logits::add);
    return logits.getFirst();
  }

  private static LoadOptions scalar() {
    return LoadOptions.defaults().withKernels(KernelOptions.fromSystem().withProvider("scalar"));
  }
}
