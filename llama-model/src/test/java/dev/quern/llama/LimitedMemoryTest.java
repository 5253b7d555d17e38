package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.AvailableMemory;
import dev.quern.llama.machine.ControlGroups;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A load that takes more memory than a control group leaves is refused, and what is mapped counts
/// for nothing.
class LimitedMemoryTest {
  private static final int CONTEXT = 8;
  private static final long KV_BYTES = 2 * 2 * 2 * 8 * CONTEXT * 2; // 2 layers, 2 KV heads of 8

  /// The second layer's matrices: Q and output, K and V, gate, up and down.
  private static final long LAYER_BYTES = 4 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"v1", "v2"})
  void weightsAndCacheFitTogetherOrTheLoadIsRefused(String version) throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(2)
            .withContext(CONTEXT)
            .withKernels(TestingProvider.options(folder));
    long needed = LAYER_BYTES + KV_BYTES;
    LlamaModel.load(file, options, limited(version, needed)).close();
    assertEquals(
        "context=8 needs 0.0 MiB of KV cache (2 layers x 2 x 2 KV heads x 8 x 8 positions x 2 bytes), the weights 0.0 MiB as they are packed, and 0.0 MiB of memory is available: expected at most 7, the largest context that fits",
        refusal(file, options, limited(version, needed - 1)));
    String message = refusal(file, options, limited(version, LAYER_BYTES));
    assertTrue(
        message.contains("not one position fits; free some memory or raise the limit"), message);
  }

  /// What reads weights where they are mapped takes no memory for them.
  @Test
  void mappedWeightsTakeNone() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(1)
            .withContext(CONTEXT)
            .withKernels(TestingProvider.options(folder).withProvider("scalar"));
    LlamaModel.load(file, options, limited("v2", KV_BYTES)).close();
  }

  /// A control group's limit, in files as the kernel shows them.
  private Surroundings limited(String version, long bytes) throws IOException {
    Path proc = Files.createDirectories(folder.resolve("proc/self")).getParent();
    Files.writeString(proc.resolve("meminfo"), "MemAvailable: 900000000 kB\n");
    Path groups = folder.resolve("cgroup");
    boolean v1 = version.equals("v1");
    Path group = Files.createDirectories(groups.resolve(v1 ? "memory/a/b" : "a/b"));
    Files.writeString(
        proc.resolve("self/cgroup"), v1 ? "7:cpu:/x\n4:hugetlb,memory:/a/b\n" : "0::/a/b\n");
    Path limiting = group.getParent(); // a group around the process's own
    Files.writeString(
        limiting.resolve(v1 ? "memory.limit_in_bytes" : "memory.max"), 1000 + bytes + "\n");
    Files.writeString(limiting.resolve(v1 ? "memory.usage_in_bytes" : "memory.current"), "1000\n");
    return new Surroundings(
        () -> new AvailableMemory(new ControlGroups(proc, groups)).read(),
        0,
        HugePageSystem.THIS_MACHINE,
        CpuCores::ofThisProcess);
  }

  private static String refusal(Path file, LoadOptions options, Surroundings surroundings) {
    return assertThrows(
            LlamaException.class, () -> LlamaModel.load(file, options, surroundings).close())
        .getMessage();
  }
}
