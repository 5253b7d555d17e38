package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import dev.quern.llama.machine.HugePages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a model says of its huge pages, and that it computes the same in them.
class PageUseTest {
  private static final KernelOptions AUTO =
      KernelOptions.fromSystem().with("quern.hugepages", "auto");

  @TempDir Path folder;

  @Test
  void whatIsReported() {
    Optional<String> none = Optional.empty();
    assertEquals("huge pages 4.0 of 6.0 MiB", new PageUse(6 << 20, 4 << 20, none).text());
    assertEquals("no huge pages: the system gave none", new PageUse(6 << 20, 0, none).text());
    assertEquals("no huge pages: nothing is large enough", new PageUse(0, 0, none).text());
    assertEquals("no huge pages: off", new PageUse(0, 0, Optional.of("off")).text());
  }

  /// A model of packed weights says the same in huge pages as without, and its memory goes with it.
  @Test
  void aModelsWeightsAndCaches() throws IOException {
    Optional<String> refusal = HugePageSystem.THIS_MACHINE.refusal(AUTO);
    refusal.ifPresent(reason -> System.err.println("huge pages are not tested: " + reason));
    assumeTrue(refusal.isEmpty(), () -> "no huge pages: " + refusal.get());
    LlamaConfig config;
    Path file =
        new SyntheticModel()
            .with("llama.context_length", 60_000L)
            .write(folder.resolve("model.gguf"));
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(2)
            .withContext(50_000)
            .withKernels(TestingProvider.options(folder).with("quern.hugepages", "auto"));
    HugePageSystem here = HugePageSystem.THIS_MACHINE;
    HugePageSystem all = new HugePageSystem(here.sys(), here.process(), here.caller(), 0);
    long asked;
    LlamaModel model = LlamaModel.load(file, options, surroundings(all));
    try (LlamaSession session = model.newSession()) {
      config = model.config();
      asked = model.pages().askedBytes();
      assertTrue(asked >= Files.size(file) / 2, asked + " bytes"); // most tensors are packed
      float[] expected;
      try (LlamaModel plain =
              LlamaModel.load(
                  file,
                  options.withKernels(options.kernels().with("quern.hugepages", "off")),
                  surroundings(all));
          LlamaSession session2 = plain.newSession()) {
        assertEquals("no huge pages: quern.hugepages=off", plain.pages().text());
        expected = logits(session2);
        assertEquals(0, plain.pages().askedBytes());
      }
      assertArrayEquals(expected, logits(session));
      long caches = model.pages().askedBytes() - asked;
      assertTrue(caches >= 2 * HugePages.PAGE, caches + " bytes of caches"); // of two layers
      assertTrue(model.pages().text().contains("huge pages"), model.pages().text());
      System.err.println("the synthetic model: " + model.pages().text());
    } finally {
      model.close();
    }
    assertEquals(new PageUse(0, 0, Optional.empty()), model.pages());
    assertEquals(2, config.layers());
  }

  private static float[] logits(LlamaSession session) {
    Measurements.fillWithNoise(session, 40_000, 1); // a layer's planes of 16 elements: 2.4 MiB
    List<float[]> logits = new ArrayList<>();
    session.evaluate(new int[] {65}, logits::add);
    return logits.getFirst();
  }

  private static Surroundings surroundings(HugePageSystem system) {
    return new Surroundings(OptionalLong::empty, Long.MAX_VALUE, system, CpuCores::ofThisProcess);
  }
}
