package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.ProviderException;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A provider that throws is blamed by its name, wherever in a model's life it does.
class FailingProviderTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = new SyntheticModel().write(folder.resolve("model.gguf"));
  }

  @Test
  void packingNamesProviderAndTensors() throws IOException {
    LoadOptions options = failing("pack");
    LlamaException failure =
        assertThrows(LlamaException.class, () -> LlamaModel.load(file, options));
    String message = failure.getMessage();
    assertTrue(message.startsWith("model: packing token_embd.weight: linear: "), message);
    assertTrue(message.contains("provider testing"), message);
    assertTrue(message.contains("UnsupportedOperationException"), message);
    assertEquals(1, message.lines().count());
    assertInstanceOf(ProviderException.class, failure.getCause());
  }

  @Test
  void theWarmUpNamesTheProvider() throws IOException {
    LoadOptions options = failing("apply");
    Surroundings warmingAll =
        new Surroundings(
            OptionalLong::empty, 0, HugePageSystem.THIS_MACHINE, CpuCores::ofThisProcess);
    assertBlamed(
        assertThrows(ProviderException.class, () -> LlamaModel.load(file, options, warmingAll)));
  }

  /// The session stays as it was, and usable.
  @Test
  void aGenerationNamesTheProvider() throws IOException {
    try (LlamaModel model = LlamaModel.load(file, failing("apply"));
        LlamaSession session = model.newSession()) {
      for (int i = 0; i < 2; i++) {
        assertBlamed(
            assertThrows(
                ProviderException.class,
                () -> session.generate("Hi", GenerationOptions.greedy(2), text -> {})));
        assertEquals(0, session.position());
      }
    }
  }

  /// A model that is closed, one that can't be loaded, and an explanation leave no kernels open.
  @Test
  void whatWasOpenedIsClosed() throws IOException {
    int before = TestingProvider.OPEN.get();
    try (LlamaModel model = LlamaModel.load(file, failing("never"))) {
      assertEquals(before + 1, TestingProvider.OPEN.get());
      model.newSession(); // closed with the model
    }
    assertEquals(before, TestingProvider.OPEN.get(), "after close()");
    assertThrows(LlamaException.class, () -> LlamaModel.load(file, failing("pack")));
    assertEquals(before, TestingProvider.OPEN.get(), "after a load that failed");
    LlamaModel.explain(file, failing("never"));
    assertEquals(before, TestingProvider.OPEN.get(), "after explain");
  }

  private static void assertBlamed(ProviderException failure) {
    assertTrue(failure.getMessage().contains("provider testing"), failure.getMessage());
    assertEquals(1, failure.getMessage().lines().count());
  }

  private LoadOptions failing(String where) throws IOException {
    return LoadOptions.defaults()
        .withThreads(2)
        .withKernels(TestingProvider.options(folder).with(TestingProvider.FAILS, where));
  }
}
