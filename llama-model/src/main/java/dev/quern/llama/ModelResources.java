package dev.quern.llama;

import dev.quern.llama.machine.HugePages;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/// What a model holds beside objects: threads, packed weights, and mapped tensors. Its sessions
/// take their caches from the same huge pages.
final class ModelResources implements AutoCloseable {
  private final WorkerPool workers;
  private final HugePages pages;
  private final Arena packed = Arena.ofShared();
  private final List<Arena> mappings = new ArrayList<>();

  ModelResources(int threads, HugePages pages) {
    this.pages = pages;
    workers = new WorkerPool(threads);
  }

  WorkerPool workers() {
    return workers;
  }

  HugePages pages() {
    return pages;
  }

  /// Owns packed weights and norms.
  Arena packed() {
    return packed;
  }

  /// Those of tensors that kernels, or the embedding, go on reading.
  List<Arena> mappings() {
    return mappings;
  }

  /// Only when nobody uses any of it any more.
  @Override
  public void close() {
    workers.close();
    mappings.forEach(Arena::close);
    packed.close();
  }
}
