package dev.quern.llama.machine;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model's memory in huge pages, or an arena's own where there are none. What is read from end to
/// end for each token is read faster so: a core translates the address of a page of 2 MiB once,
/// where it would translate 512 of 4 KiB.
///
/// For an arena's own memory nobody can ask, since it is cleared when it is allocated, and so is
/// resident before. (Where the system says `always`, it may lie in huge pages unasked.)
public final class HugePages {
  /// Bytes of a huge page.
  public static final long PAGE = 2L << 20;

  /// Bytes of an ordinary page; with larger ones huge pages are larger too, see [HugePageSystem].
  private static final long SMALL_PAGE = 4096;

  /// Room for packed weights, in bytes of the file: F32 of 8-bit weights would fit. It is
  /// addresses, and no memory.
  private static final long ROOM = 4;

  private static final Path SMAPS = Path.of("/proc/self/smaps");
  private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) .*");
  private static final Pattern HUGE = Pattern.compile("AnonHugePages: +(\\d+) kB");

  private final long worthwhile;
  private final VirtualMemory system;
  private final Map<Long, Region> regions = new ConcurrentHashMap<>(); // by first address
  private volatile Optional<String> refusal;

  /// @param refusal why there are none; empty if there are
  /// @param worthwhile see [HugePageSystem]
  public HugePages(Optional<String> refusal, long worthwhile, VirtualMemory system) {
    this.refusal = refusal;
    this.worthwhile = worthwhile;
    this.system = system;
  }

  /// Those of a model.
  ///
  /// @throws LlamaException if `quern.hugepages` has no value that it can have
  public static HugePages of(KernelOptions options, HugePageSystem offers) {
    return new HugePages(offers.refusal(options), offers.worthwhile(), new VirtualMemory());
  }

  /// None.
  ///
  /// @param reason in a few words
  public static HugePages none(String reason) {
    return new HugePages(Optional.of(reason), 0, new VirtualMemory());
  }

  /// Memory for all packed weights, one behind the other: no more than the last page is not full.
  ///
  /// @param sourceBytes of the weights in the file
  /// @param arena that the memory belongs to
  public SegmentAllocator forWeights(long sourceBytes, Arena arena) {
    if (refusal.isEmpty() && sourceBytes < worthwhile) {
      refusal = Optional.of("there are few weights");
    }
    return region(ROOM * sourceBytes + 64 * PAGE, PAGE, arena);
  }

  /// Memory for so many bytes and no more: what does not fill a huge page lies in small ones, and
  /// nothing is lost, however many of these there are.
  ///
  /// @param arena that the memory belongs to
  public SegmentAllocator exactly(long bytes, Arena arena) {
    return bytes < PAGE ? arena : region(bytes, SMALL_PAGE, arena);
  }

  private SegmentAllocator region(long bytes, long step, Arena arena) {
    if (refusal.isPresent()) {
      return arena;
    }
    long reserved = roundUp(bytes, PAGE) + PAGE; // the begin is aligned within
    long address = system.reserve(reserved);
    if (address == -1) {
      refusal = Optional.of("the system gives no address space");
      return arena;
    }
    return new Region(address, reserved, step, arena);
  }

  /// Bytes that are in use and huge pages were asked for.
  public long askedBytes() {
    return regions.values().stream().mapToLong(r -> r.used).sum();
  }

  /// Why none are asked for, in a few words; empty if they are.
  public Optional<String> refusal() {
    return refusal;
  }

  /// Bytes of the regions that are in huge pages, as the kernel tells.
  public long givenBytes() {
    try {
      long sum = 0;
      boolean ours = false;
      for (String line : Files.readAllLines(SMAPS, ISO_8859_1)) { // names of files may be any bytes
        Matcher range = RANGE.matcher(line);
        Matcher huge = HUGE.matcher(line);
        if (range.matches()) {
          long from = Long.parseUnsignedLong(range.group(1), 16);
          long to = Long.parseUnsignedLong(range.group(2), 16);
          ours = regions.values().stream().anyMatch(r -> r.overlaps(from, to));
        } else if (ours && huge.matches()) {
          sum += Long.parseLong(huge.group(1)) * 1024;
        }
      }
      return sum;
    } catch (IOException e) {
      return 0; // the system does not tell, so none are claimed
    }
  }

  private static long roundUp(long bytes, long step) {
    return Math.ceilDiv(bytes, step) * step;
  }

  /// Addresses, taken into use from the first on.
  private final class Region implements SegmentAllocator {
    private final long first;
    private final long bytes;
    private final long step;
    private final MemorySegment memory;
    private final Arena arena;
    private long committed;
    private volatile long used;

    /// @param step bytes that are committed at once
    @SuppressWarnings("restricted")
    Region(long address, long reserved, long step, Arena arena) {
      first = roundUp(address, PAGE);
      bytes = reserved - PAGE;
      this.step = step;
      this.arena = arena;
      memory =
          MemorySegment.ofAddress(first)
              .reinterpret(
                  bytes,
                  arena,
                  _ -> {
                    regions.remove(first);
                    if (!system.release(address, reserved)) {
                      throw new IllegalStateException("munmap failed");
                    }
                  });
      regions.put(first, this);
    }

    /// The arena's own memory where the region's is at an end, or the system gives none.
    @Override
    public synchronized MemorySegment allocate(long size, long alignment) {
      long from = roundUp(used, Math.max(alignment, 1));
      long to = from + size;
      if (alignment > PAGE || to > bytes || !commit(roundUp(to, step))) {
        return arena.allocate(size, alignment);
      }
      used = to;
      return memory.asSlice(from, size);
    }

    private boolean commit(long end) {
      if (end <= committed) {
        return true;
      }
      if (!system.commit(first + committed, end - committed)) {
        return false;
      }
      if (!system.adviseHuge(first + committed, end - committed)) {
        refusal = Optional.of("madvise is refused"); // still memory like any other
      }
      committed = end;
      return true;
    }

    boolean overlaps(long from, long to) {
      return from < first + committed && first < to;
    }
  }
}
