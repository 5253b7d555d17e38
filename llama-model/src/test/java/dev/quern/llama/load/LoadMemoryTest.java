package dev.quern.llama.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.TestingProvider;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.Shapes;
import dev.quern.llama.error.LlamaException;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A load that takes more memory than there is says so before the kernel's killer does.
class LoadMemoryTest {
  @TempDir Path folder;

  @Test
  void aLargeAllocationIsLookedAtByItself() {
    LlamaConfig config = Shapes.ONE_B;
    KvMemory kv = new KvMemory(config, KvFormat.F16);
    AtomicInteger looks = new AtomicInteger();
    try (Arena arena = Arena.ofConfined()) {
      LoadMemory memory = counting(looks, arena, kv, 4999, 4000);
      memory.allocate(3999, 1);
      assertEquals(0, looks.get());
      memory.allocate(4999, 1);
      assertThrows(LlamaException.class, () -> memory.allocate(5000, 1));
      assertEquals(2, looks.get());
      assertEquals(8998, memory.taken());
    }
  }

  @Test
  void aLookHoldsForAnEighthOfWhatItFound() {
    KvMemory kv = new KvMemory(Shapes.ONE_B, KvFormat.F16);
    AtomicInteger looks = new AtomicInteger();
    try (Arena arena = Arena.ofConfined()) {
      LoadMemory memory = counting(looks, arena, kv, 17_000, 1000);
      memory.allocate(1000, 1); // leaves 16,000
      memory.allocate(1500, 1);
      assertEquals(1, looks.get());
      memory.allocate(1000, 1); // 500 of the 2,000 are left
      assertEquals(2, looks.get());
    }
  }

  /// Memory of which so much is left beside a KV cache, each look at it counted.
  private static LoadMemory counting(
      AtomicInteger looks, Arena arena, KvMemory kv, long left, long large) {
    return new LoadMemory(
        arena,
        () -> {
          looks.incrementAndGet();
          return OptionalLong.of(kv.bytes(1) + left);
        },
        kv,
        1,
        large);
  }

  /// Memory in huge pages is resident when it is used and not before, so the system's figure stays.
  @Test
  void whatATensorTookAndHasNotFilledIsNoLongerAvailable() {
    KvMemory kv = new KvMemory(Shapes.ONE_B, KvFormat.F16);
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
    KvMemory kv = new KvMemory(Shapes.ONE_B, KvFormat.F16);
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
    KvMemory kv = new KvMemory(Shapes.ONE_B, KvFormat.F16);
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
}
