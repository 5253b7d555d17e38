package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// An attention kernel with its arguments checked.
public record CheckedAttention(AttentionKernel kernel, AttentionSpec spec, Site site)
    implements AttentionKernel {

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return site.scratchBytes(kernel, rows, parallelism);
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
    site.notNull(k, "k");
    int rows = k.rows();
    int width = spec.kvHeads() * spec.headDim();
    site.input(k, "k", rows, width, "kvHeads*headDim");
    site.input(v, "v", rows, width, "kvHeads*headDim");
    cache(cache, rows);
    site.writable(cache.keys(), "cache.keys", rows);
    site.writable(cache.values(), "cache.values", rows);
    site.positions("position", position, rows, "cache.capacity", cache.capacity());
    long scratchBytes = site.workspace(kernel, w, rows);
    scratchApart(cache, w.scratch(), scratchBytes, rows);
    site.disjoint(k, "k", v, "v");
    apart(k, "k", cache, w, scratchBytes);
    apart(v, "v", cache, w, scratchBytes);
    try {
      kernel.append(k, v, cache, position, w);
    } catch (Throwable e) { // foreign code
      throw site.failure(
          "append", rows, e, List.of(k.data(), cache.keys(), cache.values()), w.workers());
    }
  }

  @Override
  public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {
    site.notNull(q, "q");
    int rows = q.rows();
    int width = spec.heads() * spec.headDim();
    site.input(q, "q", rows, width, "heads*headDim");
    site.output(y, "y", rows, width, "heads*headDim");
    cache(cache, rows);
    site.positions("firstPosition", firstPosition, rows, "cache.capacity", cache.capacity());
    long scratchBytes = site.workspace(kernel, w, rows);
    scratchApart(cache, w.scratch(), scratchBytes, rows);
    site.disjoint(y, "y", q, "q");
    apart(q, "q", cache, w, scratchBytes);
    apart(y, "y", cache, w, scratchBytes);
    try {
      kernel.apply(q, cache, firstPosition, y, w);
    } catch (Throwable e) { // foreign code
      throw site.failure(
          "apply", rows, e, List.of(q.data(), cache.keys(), cache.values()), w.workers());
    }
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
    site.notNull(k, "k");
    int rows = k.rows();
    int width = spec.kvHeads() * spec.headDim();
    site.input(k, "k", rows, width, "kvHeads*headDim");
    site.input(v, "v", rows, width, "kvHeads*headDim");
    sequences(batch, "k.rows", rows);
    long scratchBytes = site.workspace(kernel, w, rows);
    site.disjoint(k, "k", v, "v");
    for (int i = 0; i < batch.size(); i++) {
      KvCache cache = batch.get(i).cache();
      site.writable(cache.keys(), "cache.keys", rows);
      site.writable(cache.values(), "cache.values", rows);
      scratchApart(cache, w.scratch(), scratchBytes, rows);
      apart(k, "k", cache, w, scratchBytes);
      apart(v, "v", cache, w, scratchBytes);
      cachesApart(batch, i, rows);
    }
    try {
      kernel.append(k, v, batch, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("append", rows, e, memory(k, batch), w.workers());
    }
  }

  @Override
  public void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
    site.notNull(q, "q");
    int rows = q.rows();
    int width = spec.heads() * spec.headDim();
    site.input(q, "q", rows, width, "heads*headDim");
    site.output(y, "y", rows, width, "heads*headDim");
    sequences(batch, "q.rows", rows);
    long scratchBytes = site.workspace(kernel, w, rows);
    site.disjoint(y, "y", q, "q");
    for (int i = 0; i < batch.size(); i++) {
      KvCache cache = batch.get(i).cache();
      scratchApart(cache, w.scratch(), scratchBytes, rows);
      apart(q, "q", cache, w, scratchBytes);
      apart(y, "y", cache, w, scratchBytes);
    }
    try {
      kernel.apply(q, batch, y, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("apply", rows, e, memory(q, batch), w.workers());
    }
  }

  /// Checks the sequences of a call, each by itself, and that their rows are the call's.
  private void sequences(List<SequenceRows> batch, String rowsName, int rows) {
    site.notNull(batch, "batch");
    if (batch.isEmpty() || batch.size() > spec.sequences()) {
      throw site.error(
          rows, "batch.size=" + batch.size() + ", expected 1 to sequences=" + spec.sequences());
    }
    long sum = 0;
    for (int i = 0; i < batch.size(); i++) {
      SequenceRows s = batch.get(i);
      if (s == null) {
        throw site.error(rows, "batch[" + i + "] is null");
      }
      cache(s.cache(), rows);
      site.positions(
          "firstPosition", s.firstPosition(), s.rows(), "cache.capacity", s.cache().capacity());
      sum += s.rows();
    }
    if (sum != rows) {
      throw site.error(
          rows, "the rows of batch add up to " + sum + ", expected " + rowsName + "=" + rows);
    }
  }

  /// Checks that a sequence's cache, which is written, shares no memory with those before it.
  private void cachesApart(List<SequenceRows> batch, int i, int rows) {
    KvCache cache = batch.get(i).cache();
    for (int j = 0; j < i; j++) {
      KvCache other = batch.get(j).cache();
      if (share(cache.keys(), other) || share(cache.values(), other)) {
        throw site.error(
            rows,
            "the cache of batch["
                + i
                + "] overlaps that of batch["
                + j
                + "], expected no memory in common");
      }
    }
  }

  private static boolean share(MemorySegment plane, KvCache cache) {
    return Overlap.of(plane, cache.keys(), cache.keys().byteSize())
        || Overlap.of(plane, cache.values(), cache.values().byteSize());
  }

  private static List<MemorySegment> memory(F32Matrix input, List<SequenceRows> batch) {
    List<MemorySegment> memory = new ArrayList<>(List.of(input.data()));
    for (SequenceRows s : batch) {
      memory.add(s.cache().keys());
      memory.add(s.cache().values());
    }
    return memory;
  }

  private void cache(KvCache cache, int rows) {
    site.notNull(cache, "cache");
    if (!cache.format().equals(spec.kv())) {
      throw site.error(rows, "cache.format=" + cache.format() + ", expected kv=" + spec.kv());
    }
    if (cache.capacity() > spec.maxPositions()) {
      throw site.error(
          rows,
          "cache.capacity="
              + cache.capacity()
              + ", expected at most maxPositions="
              + spec.maxPositions());
    }
    plane(cache.keys(), "cache.keys", cache, rows);
    plane(cache.values(), "cache.values", cache, rows);
    if (Overlap.of(cache.keys(), cache.values(), cache.values().byteSize())) {
      throw site.error(rows, "cache.keys overlaps cache.values, expected no memory in common");
    }
  }

  private void plane(MemorySegment plane, String name, KvCache cache, int rows) {
    long bytes =
        KvCache.planeBytes(cache.format(), spec.kvHeads(), spec.headDim(), cache.capacity());
    if (plane.byteSize() != bytes) {
      throw site.error(
          rows,
          String.format(
              Locale.ROOT,
              "%s holds %d bytes, expected %d = kvHeads*capacity*headDim elements of %s",
              name,
              plane.byteSize(),
              bytes,
              cache.format()));
    }
    site.reachable(plane, name, rows);
  }

  private void scratchApart(KvCache cache, MemorySegment scratch, long bytes, int rows) {
    if (Overlap.of(cache.keys(), scratch, bytes)) {
      throw site.error(rows, "cache.keys overlaps scratch, expected no memory in common");
    }
    if (Overlap.of(cache.values(), scratch, bytes)) {
      throw site.error(rows, "cache.values overlaps scratch, expected no memory in common");
    }
  }

  private void apart(F32Matrix m, String name, KvCache cache, Workspace w, long scratchBytes) {
    site.disjoint(m, name, cache.keys(), "cache.keys");
    site.disjoint(m, name, cache.values(), "cache.values");
    site.disjoint(m, name, w.scratch(), scratchBytes, "scratch");
  }

  @Override
  public String toString() {
    return site.toString();
  }
}
