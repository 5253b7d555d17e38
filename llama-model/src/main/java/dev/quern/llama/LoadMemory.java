package dev.quern.llama;

import dev.quern.data.BlockFormat;
import java.lang.foreign.Arena;
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
/// will take, and until then each large allocation is looked at by itself.
final class LoadMemory implements SegmentAllocator {
  /// An allocation that is worth looking how much is left.
  static final long LARGE = 8 << 20;

  private final Arena arena;
  private final Supplier<OptionalLong> available;
  private final KvMemory kv;
  private final int context;
  private final long large;
  private final AtomicLong taken = new AtomicLong(); // providers may allocate on several threads
  private final Map<BlockFormat, Packed> packed = new HashMap<>();

  /// What packing has made of tensors of a format.
  private record Packed(long sourceBytes, long bytes) {}

  /// @param arena that it is taken from
  /// @param available bytes, see [Surroundings]
  /// @param context positions that a session needs a KV cache for
  /// @param large bytes of an allocation that is looked at
  LoadMemory(Arena arena, Supplier<OptionalLong> available, KvMemory kv, int context, long large) {
    this.arena = arena;
    this.available = available;
    this.kv = kv;
    this.context = context;
    this.large = large;
  }

  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    if (bytes >= large) {
      requireFits(bytes);
    }
    taken.addAndGet(bytes);
    return arena.allocate(bytes, alignment);
  }

  /// Bytes that were allocated so far.
  long taken() {
    return taken.get();
  }

  /// Remembers what packing took.
  void packed(BlockFormat format, long sourceBytes, long bytes) {
    packed.merge(
        format,
        new Packed(sourceBytes, bytes),
        (a, b) -> new Packed(a.sourceBytes() + b.sourceBytes(), a.bytes() + b.bytes()));
  }

  /// Looks whether the rest fits.
  ///
  /// @param sourceBytes of the tensors of each format that are to be packed yet
  /// @throws LlamaException if it does not, with what is needed and available
  void requireFits(Map<BlockFormat, Long> sourceBytes) {
    double bytes = 0;
    for (Map.Entry<BlockFormat, Long> rest : sourceBytes.entrySet()) {
      Packed seen = packed.getOrDefault(rest.getKey(), new Packed(1, 1));
      bytes += (double) rest.getValue() * seen.bytes() / seen.sourceBytes();
    }
    requireFits((long) bytes);
  }

  private void requireFits(long bytes) {
    Optional<String> refusal = kv.refusal(context, bytes, available.get());
    if (refusal.isPresent()) {
      throw new LlamaException(refusal.get());
    }
  }
}
