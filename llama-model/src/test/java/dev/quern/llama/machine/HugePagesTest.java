package dev.quern.llama.machine;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Memory that asks for huge pages: where it lies, what it costs, and when it is gone. Whether the
/// system has free ones to give is its own affair, so no test needs them.
class HugePagesTest {
  private static final KernelOptions AUTO =
      KernelOptions.fromSystem().with("quern.hugepages", "auto");

  @TempDir Path folder;

  @Test
  void weightsLieOneBehindTheOtherAndLoseNoMoreThanAPage() throws IOException {
    HugePages pages = pages();
    Random random = new Random(17);
    long first;
    long last;
    try (Arena arena = Arena.ofShared()) {
      SegmentAllocator memory = pages.forWeights(32 << 20, arena);
      long asked = 0;
      List<MemorySegment> all = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        int bytes = 1 + random.nextInt(1 << random.nextInt(21));
        int alignment = 1 << random.nextInt(13);
        MemorySegment segment = memory.allocate(bytes, alignment);
        assertEquals(0, segment.address() % alignment);
        assertEquals(bytes, segment.byteSize());
        assertEquals(-1, segment.mismatch(MemorySegment.ofArray(new byte[bytes])), "zeros");
        segment.fill((byte) i);
        asked += bytes + alignment;
        all.add(segment);
      }
      for (int i = 0; i < all.size(); i++) {
        assertEquals(i, all.get(i).get(JAVA_BYTE, 0));
        assertEquals(i, all.get(i).get(JAVA_BYTE, all.get(i).byteSize() - 1));
      }
      first = all.getFirst().address();
      last = all.getLast().address() + all.getLast().byteSize();
      assertEquals(0, first % HugePages.PAGE);
      assertTrue(last - first <= asked, "something else lies between");
      assertEquals(last - first, pages.askedBytes());
      long resident = resident(first, last);
      assertTrue(resident >= last - first, resident + " resident");
      assertAdvised(first, last);
      assertTrue(resident - (last - first) <= HugePages.PAGE, resident + " resident");
    }
    assertEquals(0, mappings(first, last));
    assertEquals(0, pages.askedBytes());
  }

  @Test
  void whatIsOfAnExactSizeLosesNothing() throws IOException {
    HugePages pages = pages();
    for (long bytes : new long[] {HugePages.PAGE, 3 * HugePages.PAGE - 4096, 5_000_000}) {
      long first;
      try (Arena arena = Arena.ofShared()) {
        MemorySegment segment = pages.exactly(bytes, arena).allocate(bytes, 64).fill((byte) 1);
        first = segment.address();
        assertEquals(0, first % HugePages.PAGE);
        assertAdvised(first, first + bytes);
        long resident = resident(first, first + bytes);
        assertTrue(resident >= bytes && resident - bytes < 4096, resident + " of " + bytes);
      }
      assertEquals(0, mappings(first, first + bytes));
    }
  }

  /// Memory and lifetime are the arena's as ever.
  @Test
  void whatIsTooSmallOrTooMuchIsTheArenas() {
    HugePages pages = pages();
    try (Arena arena = Arena.ofShared()) {
      assertEquals(arena, pages.exactly(HugePages.PAGE - 1, arena));
      SegmentAllocator exact = pages.exactly(HugePages.PAGE, arena);
      exact.allocate(HugePages.PAGE, 64);
      MemorySegment more = exact.allocate(100, 64);
      assertEquals(100, more.fill((byte) 1).byteSize());
      assertEquals(arena.scope(), more.scope());
      assertEquals(HugePages.PAGE, pages.askedBytes());
      exact.allocate(64, 2 * HugePages.PAGE);
      assertEquals(HugePages.PAGE, pages.askedBytes());
    }
  }

  @Test
  void refusalsLeaveTheArena() {
    pages();
    try (Arena arena = Arena.ofShared()) {
      HugePages few = new HugePages(Optional.empty(), 101, new VirtualMemory());
      assertEquals(arena, few.forWeights(100, arena));
      assertEquals(Optional.of("there are few weights"), few.refusal());

      HugePages vast = new HugePages(Optional.empty(), 0, new VirtualMemory());
      assertEquals(arena, vast.forWeights(1L << 58, arena)); // more than there are addresses
      assertEquals(Optional.of("the system gives no address space"), vast.refusal());

      HugePages unadvised =
          new HugePages(
              Optional.empty(),
              0,
              new VirtualMemory() {
                @Override
                boolean adviseHuge(long address, long bytes) {
                  return false;
                }
              });
      SegmentAllocator memory = unadvised.forWeights(1 << 20, arena);
      memory.allocate(5000, 64).fill((byte) 1);
      assertEquals(Optional.of("madvise is refused"), unadvised.refusal());
      assertEquals(arena, unadvised.exactly(HugePages.PAGE, arena));

      HugePages none = HugePages.none("never");
      assertEquals(arena, none.forWeights(1 << 20, arena));
      assertEquals(0, none.askedBytes());
      assertEquals(Optional.of("never"), none.refusal());
    }
  }

  @Test
  void theSystemsWordDecides() throws IOException {
    HugePageSystem system = system("always [madvise] never", "unlimited", "1");
    assertEquals(Optional.empty(), system.refusal(AUTO));
    assertEquals(
        Optional.empty(), system("[always] madvise never", "unlimited", "1").refusal(AUTO));
    assertRefused("enabled says never", system("always madvise [never]", "unlimited", "1"));
    assertRefused("ulimit -v", system("always [madvise] never", "8589934592", "1"));
    assertRefused("prctl", system("always [madvise] never", "unlimited", "0"));

    Path own = Files.createDirectories(folder.resolve("hugepages-2048kB")).resolve("enabled");
    Files.writeString(own, "always inherit madvise [never]\n");
    assertRefused(
        "hugepages-2048kB/enabled says never", system("[always] never", "unlimited", "1"));
    Files.writeString(own, "always [inherit] madvise never\n");
    assertEquals(Optional.empty(), system("[always] never", "unlimited", "1").refusal(AUTO));
    assertRefused("enabled says never", system("always [never]", "unlimited", "1"));
    Files.writeString(own, "always inherit [madvise] never\n");
    assertEquals(Optional.empty(), system("always [never]", "unlimited", "1").refusal(AUTO));

    Files.writeString(folder.resolve("hpage_pmd_size"), "536870912\n");
    assertRefused("of 536870912 bytes, expected 2097152", system);
    Files.writeString(folder.resolve("hpage_pmd_size"), "2097152\n");
    assertEquals(Optional.empty(), system.refusal(AUTO));

    Files.delete(own);
    Files.delete(folder.resolve("enabled"));
    assertRefused("the system offers none", system);
  }

  @Test
  void nativeAccessDecides() throws IOException {
    Module denied = ModuleLayer.boot().findModule("java.logging").orElseThrow();
    HugePageSystem system = system("[always] madvise never", "unlimited", "1");
    assertRefused(
        "no native access (--enable-native-access=java.logging)",
        new HugePageSystem(folder, folder, denied, 0));
    assertEquals(Optional.empty(), system.refusal(AUTO));
  }

  @Test
  void thePropertyDecides() throws IOException {
    HugePageSystem system = system("[always] madvise never", "unlimited", "1");
    assertEquals(
        Optional.of("quern.hugepages=off"), system.refusal(AUTO.with("quern.hugepages", "off")));
    String message =
        assertThrows(LlamaException.class, () -> system.refusal(AUTO.with("quern.hugepages", "2M")))
            .getMessage();
    assertEquals("quern.hugepages=2M, expected auto or off", message);
  }

  /// Of this machine; where it has none, the test is skipped and says why.
  private static HugePages pages() {
    Optional<String> refusal = HugePageSystem.THIS_MACHINE.refusal(AUTO);
    refusal.ifPresent(reason -> System.err.println("huge pages are not tested: " + reason));
    assumeTrue(refusal.isEmpty(), () -> "no huge pages: " + refusal.get());
    return new HugePages(
        Optional.empty(),
        0,
        new VirtualMemory() {
          @Override
          long reserve(long bytes) { // newer kernels align what is large, older ones do not
            return super.reserve(bytes + 4096) + 4096;
          }
        });
  }

  /// A made-up one, with native access.
  private HugePageSystem system(String enabled, String addressSpace, String allowed)
      throws IOException {
    Files.writeString(folder.resolve("enabled"), enabled + "\n");
    Files.writeString(
        folder.resolve("limits"),
        "Limit                     Soft Limit           Hard Limit           Units     \n"
            + "Max cpu time              unlimited            unlimited            seconds   \n"
            + String.format(
                "%-26s%-21s%-21s%-10s%n", "Max address space", addressSpace, "unlimited", "bytes"));
    Files.writeString(folder.resolve("status"), "Name:\tjava\nTHP_enabled:\t" + allowed + "\n");
    return new HugePageSystem(folder, folder, Object.class.getModule(), 0);
  }

  private static void assertRefused(String words, HugePageSystem system) {
    String reason = system.refusal(AUTO).orElse("");
    assertTrue(reason.contains(words), words + " in: " + reason);
    assertFalse(reason.contains("\n"), reason);
  }

  /// Bytes that are resident of the mapping that a range lies in, which may end behind it.
  private static long resident(long from, long to) throws IOException {
    List<String> found = smaps(from, to, "Rss:");
    assertEquals(1, found.size());
    return Long.parseLong(found.getFirst().replaceAll("\\D", "")) * 1024;
  }

  /// The kernel remembers that huge pages were asked for, with a flag of the mapping.
  private static void assertAdvised(long from, long to) throws IOException {
    for (String flags : smaps(from, to, "VmFlags:")) {
      assertTrue((flags + " ").contains(" hg "), flags);
    }
  }

  /// What the kernel says about the memory in a range, one line for each mapping.
  private static List<String> smaps(long from, long to, String key) throws IOException {
    List<String> found = new ArrayList<>();
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"), ISO_8859_1)) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        inside = touches(line, from, to);
      } else if (inside && line.startsWith(key)) {
        found.add(line);
      }
    }
    return found;
  }

  private static long mappings(long from, long to) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> touches(line, from, to))
        .count();
  }

  private static boolean touches(String line, long from, long to) {
    String[] range = line.split(" ")[0].split("-");
    return Long.parseUnsignedLong(range[0], 16) < to && from < Long.parseUnsignedLong(range[1], 16);
  }
}
