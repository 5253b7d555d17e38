package dev.quern.conformance.hostile;

import java.util.List;
import java.util.stream.Stream;

/// All hostile providers that were written by hand.
final class Hostiles {
  private Hostiles() {}

  static List<Hostile> all() {
    return Stream.of(
            SizeFaults.all(),
            StateFaults.all(),
            ThreadFaults.all(),
            MemoryFaults.all(),
            FacadeFaults.all())
        .flatMap(List::stream)
        .toList();
  }

  /// One of them, or a generated one, by its id.
  static Hostile byId(String id) {
    return Generated.isId(id)
        ? Generated.of(id).hostile()
        : all().stream()
            .filter(h -> h.id().equals(id))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no hostile provider " + id));
  }
}
