package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A load that takes more memory than there is says so before the kernel's killer does.
class LoadMemoryTest {
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

  @Test
  void aLargeAllocationIsLookedAtByItself() {
    LlamaConfig config = KvMemoryTest.ONE_B;
    KvMemory kv = new KvMemory(config, KvFormat.F16);
    AtomicInteger looks = new AtomicInteger();
    try (Arena arena = Arena.ofConfined()) {
      LoadMemory memory =
          new LoadMemory(
              arena,
              () -> {
                looks.incrementAndGet();
                return OptionalLong.of(kv.bytes(1) + 4999);
              },
              kv,
              1,
              4000);
      memory.allocate(3999, 1);
      assertEquals(0, looks.get());
      memory.allocate(4999, 1);
      assertThrows(LlamaException.class, () -> memory.allocate(5000, 1));
      assertEquals(2, looks.get());
      assertEquals(8998, memory.taken());
    }
  }

  /// Memory in huge pages is resident when it is used and not before, so the system's figure stays.
  @Test
  void whatATensorTookAndHasNotFilledIsNoLongerAvailable() {
    KvMemory kv = new KvMemory(KvMemoryTest.ONE_B, KvFormat.F16);
    long[] available = {kv.bytes(1) + 5000};
    try (Arena arena = Arena.ofConfined()) {
      LoadMemory memory = new LoadMemory(arena, () -> OptionalLong.of(available[0]), kv, 1, 1000);
      memory.allocate(3000, 1);
      assertThrows(LlamaException.class, () -> memory.allocate(2001, 1));
      memory.allocate(1500, 1);
      available[0] -= 4500; // all of it is filled: nothing counts twice
      memory.allocate(500, 1); // too small to be looked at
      assertThrows(LlamaException.class, () -> memory.allocate(1000, 1));
      memory.packed(BlockFormat.F32, 5000, 5000);
      available[0] = kv.bytes(1) + 1200;
      memory.allocate(1200, 1);
    }
  }

  /// What the allocator refuses is not the provider's fault.
  @Test
  void aRefusalWhileAProviderPacksIsNoFailureOfTheProvider() throws IOException {
    KvMemory kv = new KvMemory(KvMemoryTest.ONE_B, KvFormat.F16);
    Kernels kernels = Kernels.load(TestingProvider.options(folder));
    LinearSpec spec = new LinearSpec(BlockFormat.F32, 4, 8, false, Set.copyOf(Numerics.standard()));
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix weights =
          new WeightMatrix(BlockFormat.F32, arena.allocate(4 * 8 * 4), MemorySegment.NULL, 4, 8);
      LoadMemory memory = new LoadMemory(arena, () -> OptionalLong.of(10), kv, 1, 100);
      String message =
          assertThrows(
                  LlamaException.class,
                  () -> kernels.linear(spec).pack(List.of(weights), memory, Workers.sequential()))
              .getMessage();
      assertTrue(message.startsWith("context=1 needs"), message);
    }
  }

  @Test
  void eachFormatIsReckonedByWhatPackingMadeOfIt() {
    KvMemory kv = new KvMemory(KvMemoryTest.ONE_B, KvFormat.F16);
    try (Arena arena = Arena.ofConfined()) {
      LoadMemory memory =
          new LoadMemory(arena, () -> OptionalLong.of(kv.bytes(1) + 1000), kv, 1, 1 << 20);
      memory.packed(BlockFormat.F32, 100, 0); // stays where it is mapped
      memory.packed(BlockFormat.Q4_0, 100, 150);
      memory.packed(BlockFormat.Q4_0, 100, 250);
      memory.requireFits(Map.of(BlockFormat.F32, 1L << 40, BlockFormat.Q4_0, 500L));
      assertThrows(LlamaException.class, () -> memory.requireFits(Map.of(BlockFormat.Q4_0, 501L)));
      memory.requireFits(Map.of(BlockFormat.Q6_K, 1000L)); // not seen yet: as large as it is
      assertThrows(LlamaException.class, () -> memory.requireFits(Map.of(BlockFormat.Q6_K, 1001L)));
    }
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
