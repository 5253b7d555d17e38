package dev.quern.llama.load;

import dev.quern.data.BlockFormat;
import dev.quern.llama.error.LlamaException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// Where packed weights are allocated. It sees what packing takes, and so says before there is no
/// memory left that there will be none: the kernel's killer asks nobody. What a provider makes of a
/// format is not known before it has packed some of it; so the first layer tells what the others
/// will take, and large allocations are looked at by themselves, as often as it could matter: a
/// look reads files of the system while workers wait, so it holds for a part of what it found.
public final class LoadMemory implements SegmentAllocator {
  /// An allocation that is worth looking how much is left.
  public static final long LARGE = 8 << 20;

  /// What a look holds for, as a part of what it found to be left.
  private static final int PART = 8;

  private final SegmentAllocator memory;
  private final Supplier<OptionalLong> available;
  private final KvMemory kv;
  private final int context;
  private final long large;
  private final AtomicLong taken = new AtomicLong(); // providers may allocate on several threads
  private final Map<BlockFormat, Packed> packed = new HashMap<>();
  private OptionalLong before = OptionalLong.empty(); // bytes available, before a tensor was packed
  private long unlooked; // bytes that the last look holds for yet
  private long untouched; // bytes of its large allocations, perhaps not resident yet

  /// What packing has made of tensors of a format.
  private record Packed(long sourceBytes, long bytes) {}

  /// @param memory that it is taken from
  /// @param available bytes, see [Surroundings]
  /// @param context positions that a session needs a KV cache for
  /// @param large bytes of an allocation that is looked at
  public LoadMemory(
      SegmentAllocator memory,
      Supplier<OptionalLong> available,
      KvMemory kv,
      int context,
      long large) {
    this.memory = memory;
    this.available = available;
    this.kv = kv;
    this.context = context;
    this.large = large;
  }

  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    if (bytes >= large) {
      requireNextFits(bytes);
    }
    taken.addAndGet(bytes);
    return memory.allocate(bytes, alignment);
  }

  /// Bytes that were allocated so far.
  public long taken() {
    return taken.get();
  }

  /// Remembers what packing took, all of which is filled now.
  public synchronized void packed(BlockFormat format, long sourceBytes, long bytes) {
    untouched = 0;
    packed.merge(
        format,
        new Packed(sourceBytes, bytes),
        (a, b) -> new Packed(a.sourceBytes() + b.sourceBytes(), a.bytes() + b.bytes()));
  }

  /// Looks whether the rest fits.
  ///
  /// @param sourceBytes of the tensors of each format that are to be packed yet
  /// @throws LlamaException if it does not, with what is needed and available
  public void requireFits(Map<BlockFormat, Long> sourceBytes) {
    double bytes = 0;
    for (Map.Entry<BlockFormat, Long> rest : sourceBytes.entrySet()) {
      Packed seen = packed.getOrDefault(rest.getKey(), new Packed(1, 1));
      bytes += (double) rest.getValue() * seen.bytes() / seen.sourceBytes();
    }
    requireFits((long) bytes, available.get());
  }

  /// Memory that a provider has not filled yet may count as available still: what a tensor takes is
  /// subtracted from what was available before its first allocation, and the less of both counts.
  private synchronized void requireNextFits(long bytes) {
    if (bytes <= unlooked) {
      unlooked -= bytes;
      untouched += bytes;
      return;
    }
    OptionalLong now = available.get();
    if (untouched == 0) {
      before = now;
    }
    OptionalLong left =
        now.isPresent() && before.isPresent()
            ? OptionalLong.of(Math.min(now.getAsLong(), before.getAsLong() - untouched))
            : now;
    requireFits(bytes, left);
    unlooked =
        left.isPresent() ? (left.getAsLong() - kv.bytes(context) - bytes) / PART : Long.MAX_VALUE;
    untouched += bytes;
  }

  private void requireFits(long bytes, OptionalLong left) {
    Optional<String> refusal = kv.refusal(context, bytes, left);
    if (refusal.isPresent()) {
      throw new LlamaException(refusal.get());
    }
  }
}
