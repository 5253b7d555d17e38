package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The KV cache's size is known, and what does not fit is refused before anything is allocated.
class KvMemoryTest {
  /// Llama 3.2 1B's.
  static final LlamaConfig ONE_B =
      new LlamaConfig("1b", 16, 2048, 8192, 32, 8, 64, 131_072, 1e-5f, 64, 500_000f, 1f, 128_256);

  private static final long MIB = 1 << 20;

  @TempDir Path folder;

  @Test
  void theSizeIsThatOfTheFormula() {
    assertEquals(1024 * MIB, new KvMemory(ONE_B, KvFormat.F16).bytes(32_768));
    assertEquals(8192 * MIB, new KvMemory(ONE_B, KvFormat.F32).bytes(131_072));
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheLargestThatDoes() {
    KvMemory memory = new KvMemory(ONE_B, KvFormat.F16);
    String refusal =
        assertThrows(
                LlamaException.class,
                () -> memory.requireFits(131_072, OptionalLong.of(1024 * MIB)))
            .getMessage();
    for (String part :
        List.of(
            "context=131072", "4096.0 MiB", "1024.0 MiB", "at most 32768", "16 layers x 2 x 8")) {
      assertTrue(refusal.contains(part), part + " in " + refusal);
    }
    assertEquals(1, refusal.lines().count());
    assertDoesNotThrow(() -> memory.requireFits(32_768, OptionalLong.of(1024 * MIB)));
    assertThrows(
        LlamaException.class, () -> memory.requireFits(32_769, OptionalLong.of(1024 * MIB)));
    assertDoesNotThrow(() -> memory.requireFits(131_072, OptionalLong.empty()));
    assertTrue(
        assertThrows(LlamaException.class, () -> memory.requireFits(1, OptionalLong.of(9)))
            .getMessage()
            .contains("not one position"));
  }

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
      assertThrows(LlamaException.class, () -> session.fillWithNoise(256, 1));
    }
  }

  private static float[] logitsAfterNoise(LlamaSession session, int positions, long seed) {
    session.rewind(0);
    session.fillWithNoise(positions, seed);
    assertEquals(positions, session.position());
    List<float[]> logits = new ArrayList<>();
    session.evaluate(new int[] {65}, logits::add);
    return logits.getFirst();
  }

  @Test
  void theLeastOfMachineAndGroupsIsAvailable() throws IOException {
    Path proc = Files.createDirectories(folder.resolve("proc/self")).getParent();
    Path groups = Files.createDirectories(folder.resolve("cgroup/a/b")).getParent().getParent();
    AvailableMemory memory = new AvailableMemory(new ControlGroups(proc, groups));
    assertEquals(OptionalLong.empty(), memory.read());
    Files.writeString(proc.resolve("meminfo"), "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n");
    assertEquals(8000 * 1024, memory.read().getAsLong());

    Files.writeString(proc.resolve("self/cgroup"), "0::/a/b\n");
    Files.writeString(groups.resolve("a/b/memory.max"), "max\n");
    Files.writeString(groups.resolve("a/b/memory.current"), "1000\n");
    assertEquals(8000 * 1024, memory.read().getAsLong());
    Files.writeString(groups.resolve("a/memory.max"), "5000\n"); // of the group around it
    Files.writeString(groups.resolve("a/memory.current"), "3000\n");
    Files.writeString(
        groups.resolve("a/memory.stat"), "anon 9\ninactive_file 400\nactive_file 50\n");
    assertEquals(2450, memory.read().getAsLong());

    Files.writeString(proc.resolve("self/cgroup"), "0::/../elsewhere\n"); // out of view
    Files.writeString(groups.resolve("memory.max"), "7000\n");
    Files.writeString(groups.resolve("memory.current"), "3000\n");
    assertEquals(4000, memory.read().getAsLong());

    Path old = Files.createDirectories(groups.resolve("memory"));
    Files.writeString(proc.resolve("self/cgroup"), "4:memory:/not/mounted/here\n0::/a/b\n");
    Files.writeString(old.resolve("memory.limit_in_bytes"), "9223372036854771712\n");
    Files.writeString(old.resolve("memory.usage_in_bytes"), "10\n");
    assertEquals(2450, memory.read().getAsLong());
    Files.writeString(old.resolve("memory.limit_in_bytes"), "100\n");
    Files.writeString(
        old.resolve("memory.stat"),
        "inactive_file 9\ntotal_inactive_file 3\ntotal_active_file 2\n");
    assertEquals(95, memory.read().getAsLong());
  }

  private static LoadOptions scalar() {
    return LoadOptions.defaults().withKernels(KernelOptions.fromSystem().withProvider("scalar"));
  }
}
