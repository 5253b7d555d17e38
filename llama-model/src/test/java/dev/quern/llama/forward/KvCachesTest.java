package dev.quern.llama.forward;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.Shapes;
import dev.quern.llama.machine.HugePageSystem;
import dev.quern.llama.machine.HugePages;
import java.util.Optional;
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
}
