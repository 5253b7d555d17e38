package dev.quern.llama.forward;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.Shapes;
import dev.quern.llama.machine.HugePageSystem;
import dev.quern.llama.machine.HugePages;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Caches that grow, in huge pages where the system has these.
class KvCachesTest {
  private static final KernelOptions AUTO =
      KernelOptions.fromSystem().with("quern.hugepages", "auto");

  /// Caches of 2 MiB and more a layer: they grow into them, and nothing of them is left.
  @Test
  void aCacheThatGrowsLeavesNothing() {
    HugePageSystem here = HugePageSystem.THIS_MACHINE;
    Optional<String> refusal = here.refusal(AUTO);
    refusal.ifPresent(reason -> System.err.println("huge pages are not tested: " + reason));
    assumeTrue(refusal.isEmpty(), () -> "no huge pages: " + refusal.get());
    HugePages pages = HugePages.of(AUTO, here);
    try (KvCaches caches = new KvCaches(Shapes.ONE_B, KvFormat.F16, 3000, pages)) {
      assertEquals(0, pages.askedBytes()); // 512 KiB a layer
      caches.layer(3).keys().fill((byte) 7);
      caches.reserve(256, 1024);
      assertEquals(16 * HugePages.PAGE, pages.askedBytes());
      assertEquals(7, caches.layer(3).keys().get(JAVA_BYTE, 0));
      caches.reserve(1024, 3000);
      assertEquals(2 * 16 * KvCache.planeBytes(KvFormat.F16, 8, 64, 3000), pages.askedBytes());
      assertEquals(7, caches.layer(3).keys().get(JAVA_BYTE, 0));
      assertEquals(0, caches.layer(3).keys().address() % HugePages.PAGE);
    }
    assertEquals(0, pages.askedBytes());
  }

  /// A prompt in parts beside sequences that decode: a step copies few layers, and not all.
  @Test
  void layersGrowOneAfterTheOther() {
    try (KvCaches caches = caches(4096)) {
      int rows = 64;
      int[] before = capacities(caches);
      for (int used = 0; used < 4096; used += rows) {
        caches.reserve(used, used + rows);
        int[] now = capacities(caches);
        int copied = 0; // positions, over the layers
        for (int l = 0; l < now.length; l++) {
          assertTrue(now[l] >= used + rows, "room in layer " + l);
          copied += now[l] == before[l] ? 0 : used;
        }
        int most = used == 256 ? 16 * 256 : 2 * 16 * rows; // at first it is little
        assertTrue(copied <= most, copied + " positions copied at " + used);
        assertTrue(
            IntStream.of(now).sum() <= Math.max(2 * 16 * (used + rows), 16 * 256),
            () -> Arrays.toString(now));
        before = now;
      }
    }
  }

  /// Token by token, and with a prompt that is longer than twice what there is.
  @Test
  void growthKeepsWhatIsThere() {
    try (KvCaches caches = caches(3000)) {
      int used = 0;
      for (int rows : new int[] {7, 1, 700, 1, 1, 60, 1, 400, 2, 1000, 1, 64, 1}) {
        caches.reserve(used, used + rows);
        for (int l = 0; l < 16; l++) {
          KvCache cache = caches.layer(l);
          for (int p = 0; p < used; p++) {
            assertEquals(tag(l, p), cache.keys().get(JAVA_SHORT, at(cache, p)), "key " + p);
            assertEquals(-tag(l, p), cache.values().get(JAVA_SHORT, at(cache, p)), "value " + p);
          }
          for (int p = used; p < used + rows; p++) {
            cache.keys().set(JAVA_SHORT, at(cache, p), tag(l, p));
            cache.values().set(JAVA_SHORT, at(cache, p), (short) -tag(l, p));
          }
        }
        used += rows;
      }
    }
  }

  /// A copy has room for what is copied, and no more is made of it than is needed.
  @Test
  void aCopyGrowsNothingAhead() {
    try (KvCaches from = caches(3000);
        KvCaches to = caches(3000)) {
      from.reserve(0, 1000);
      to.copyFrom(from, 1000);
      assertArrayEquals(IntStream.generate(() -> 1000).limit(16).toArray(), capacities(to));
    }
  }

  private static KvCaches caches(int limit) {
    HugePages none = HugePages.of(AUTO.with("quern.hugepages", "off"), HugePageSystem.THIS_MACHINE);
    return new KvCaches(Shapes.ONE_B, KvFormat.F16, limit, none);
  }

  private static int[] capacities(KvCaches caches) {
    return IntStream.range(0, 16).map(l -> caches.layer(l).capacity()).toArray();
  }

  private static short tag(int layer, int position) {
    return (short) (1 + layer + 16 * (position % 2000));
  }

  /// Of the last head's last element.
  private static long at(KvCache cache, int position) {
    return 2 * ((7L * cache.capacity() + position) * 64 + 63);
  }
}
