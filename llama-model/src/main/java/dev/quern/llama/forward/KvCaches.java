package dev.quern.llama.forward;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.machine.HugePages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// The KV caches of a session, one a layer. Memory from an arena is cleared when it is allocated,
/// and so resident from then on; caches for the whole context would cost all of it before the first
/// token. (In huge pages it is resident when it is used, but the heads of a layer lie so far apart
/// that the first token would use nearly all of them.) So they begin small and double as the
/// conversation grows. What that copies is, over a conversation, less than what it ends with.
///
/// Where rows come in a few at a time, other sequences may decode in the same steps, and all layers
/// at once would hold them up for several of these: 0.2 GB of a 1B model's caches to clear and copy
/// at 2,048 positions. So from half of its capacity on, one layer after the other doubles ahead of
/// need. All together are still at most twice as large as what they hold.
public final class KvCaches implements AutoCloseable {
  /// Positions to begin with.
  private static final int FIRST = 256;

  /// Bytes of a cache line, which a plane begins with.
  private static final int LINE = 64;

  private final KvFormat format;
  private final int kvHeads;
  private final int headDim;
  private final int limit;
  private final HugePages pages;
  private final List<Layer> layers = new ArrayList<>();

  /// @param cache where a layer's keys and values are
  /// @param arena what holds them and nothing else
  private record Layer(KvCache cache, Arena arena) {}

  /// @param limit most positions
  /// @param pages that caches of such a size lie in
  public KvCaches(LlamaConfig config, KvFormat format, int limit, HugePages pages) {
    this.format = format;
    this.kvHeads = config.kvHeads();
    this.headDim = config.headDim();
    this.limit = limit;
    this.pages = pages;
    try {
      for (int l = 0; l < config.layers(); l++) {
        layers.add(allocate(Math.min(limit, FIRST)));
      }
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      close();
      throw t;
    }
  }

  public KvCache layer(int l) {
    return layers.get(l).cache();
  }

  /// Bytes of the planes, as large as they are now.
  public long bytes() {
    return layers.stream()
        .mapToLong(layer -> layer.cache().keys().byteSize() + layer.cache().values().byteSize())
        .sum();
  }

  /// Positions that a conversation can have.
  public int limit() {
    return limit;
  }

  /// Makes room.
  ///
  /// @param used positions that are kept
  /// @param positions that there must be room for, at most the limit
  public void reserve(int used, int positions) {
    int least = limit;
    for (Layer layer : layers) { // in each step of each sequence, so without a stream
      least = Math.min(least, layer.cache().capacity());
    }
    int ahead = ahead(least, positions - used);
    int grown = grownAt(positions, least);
    for (int l = 0; l < layers.size(); l++) {
      int capacity = layer(l).capacity();
      if (capacity < positions) {
        grow(l, used, positions);
      } else if (ahead > 0 && l < grown && capacity == least && capacity < limit) {
        grow(l, used, positions);
        ahead--;
      }
    }
  }

  /// How many layers a call may make larger that need not be yet. Rows that fill an eighth of a
  /// cache at once are nobody's who shares a step with others.
  private int ahead(int capacity, int rows) {
    return 8L * rows > capacity ? 0 : Math.ceilDiv(2 * layers.size() * rows, capacity);
  }

  /// How many layers have doubled where so many positions are used: none up to half of the
  /// capacity, all at the whole.
  private int grownAt(int positions, int capacity) {
    return (int) (layers.size() * (2L * positions - capacity) / capacity);
  }

  private void grow(int l, int used, int positions) {
    KvCache old = layer(l);
    Layer larger = allocate(Math.clamp(2L * old.capacity(), positions, limit));
    copy(old.keys(), old.capacity(), larger.cache().keys(), larger.cache().capacity(), used);
    copy(old.values(), old.capacity(), larger.cache().values(), larger.cache().capacity(), used);
    layers.set(l, larger).arena().close();
  }

  /// Takes over another sequence's first positions, of the same model.
  public void copyFrom(KvCaches other, int positions) {
    reserve(0, positions);
    for (int l = 0; l < layers.size(); l++) {
      KvCache from = other.layer(l);
      KvCache to = layer(l);
      copy(from.keys(), from.capacity(), to.keys(), to.capacity(), positions);
      copy(from.values(), from.capacity(), to.values(), to.capacity(), positions);
    }
  }

  /// The first positions' keys and values where they lie: of each layer the keys' heads, then the
  /// values', each `[positions, headDim]`.
  ///
  /// @param positions within the capacity
  public List<MemorySegment> filled(int positions) {
    long position = (long) headDim * format.elementBytes();
    List<MemorySegment> heads = new ArrayList<>();
    for (Layer layer : layers) {
      KvCache cache = layer.cache();
      for (MemorySegment plane : List.of(cache.keys(), cache.values())) {
        for (int h = 0; h < kvHeads; h++) {
          heads.add(plane.asSlice(h * cache.capacity() * position, positions * position));
        }
      }
    }
    return heads;
  }

  /// Bytes of all that [#filled] gives for so many positions.
  public long filledBytes(int positions) {
    return 2L * layers.size() * KvCache.planeBytes(format, kvHeads, headDim, positions);
  }

  /// Where the first key or value is that is not finite, in the order of the layers; in words.
  ///
  /// @param positions that are looked at
  public Optional<String> firstNonFinite(int positions) {
    for (int l = 0; l < layers.size(); l++) {
      KvCache cache = layer(l);
      OptionalInt key = firstNonFinite(cache.keys(), cache.capacity(), positions);
      OptionalInt value = firstNonFinite(cache.values(), cache.capacity(), positions);
      if (key.isPresent() || value.isPresent()) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "the %s of layer %d (of %d) at position %d",
                key.isPresent() ? "keys" : "values",
                l,
                layers.size(),
                (key.isPresent() ? key : value).getAsInt()));
      }
    }
    return Optional.empty();
  }

  private OptionalInt firstNonFinite(MemorySegment plane, int capacity, int positions) {
    for (int p = 0; p < positions; p++) {
      for (int h = 0; h < kvHeads; h++) {
        for (int i = 0; i < headDim; i++) {
          long element = ((long) h * capacity + p) * headDim + i;
          float value =
              format.equals(KvFormat.F16)
                  ? Float.float16ToFloat(plane.getAtIndex(JAVA_SHORT, element))
                  : plane.getAtIndex(JAVA_FLOAT, element);
          if (!Float.isFinite(value)) {
            return OptionalInt.of(p);
          }
        }
      }
    }
    return OptionalInt.empty();
  }

  /// Heads lie one behind the other, each with room for a plane's capacity.
  private void copy(MemorySegment from, int capacity, MemorySegment to, int toCapacity, int used) {
    long position = (long) headDim * format.elementBytes();
    for (int h = 0; h < kvHeads; h++) {
      MemorySegment.copy(
          from, h * capacity * position, to, h * toCapacity * position, used * position);
    }
  }

  private Layer allocate(int capacity) {
    Arena arena = Arena.ofShared();
    try {
      long bytes = KvCache.planeBytes(format, kvHeads, headDim, capacity);
      SegmentAllocator memory = pages.exactly(2 * bytes + LINE, arena);
      KvCache cache =
          new KvCache(memory.allocate(bytes, LINE), memory.allocate(bytes, LINE), format, capacity);
      return new Layer(cache, arena);
    } catch (OutOfMemoryError e) { // the system refuses: no process limit that could be read did
      arena.close();
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "KV cache: %d positions of %d can't be allocated, the system has no memory left; load the model with a smaller context",
              capacity,
              limit),
          e);
    } catch (Throwable t) { // rethrown: only the arena is released here
      arena.close();
      throw t;
    }
  }

  @Override
  public void close() {
    layers.forEach(layer -> layer.arena().close());
  }
}
