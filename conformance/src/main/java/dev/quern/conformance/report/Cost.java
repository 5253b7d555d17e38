package dev.quern.conformance.report;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryType;
import java.util.OptionalLong;

/// What a run took.
///
/// @param seconds from its start to its report; of a run that was resumed, all of it
/// @param residentBytes the process's peak resident memory; empty where the system does not tell
/// @param heapBytes the JVM's heap, at most: the peaks of its pools together
/// @since 0.1
/// @stability api
public record Cost(double seconds, OptionalLong residentBytes, long heapBytes) {

  /// This process, now.
  ///
  /// @param residentBytes as the record's
  public static Cost now(double seconds, OptionalLong residentBytes) {
    long heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .mapToLong(pool -> pool.getPeakUsage().getUsed())
            .sum();
    return new Cost(seconds, residentBytes, heap);
  }

  /// `31 s, at most 812 MB of memory, 240 MB of heap among it`.
  String text() {
    String heap = Format.text("%,d MB of heap", heapBytes / 1_000_000);
    return residentBytes.isPresent()
        ? Format.text(
            "%,.0f s, at most %,d MB of memory and %s in it",
            seconds, residentBytes.getAsLong() / 1_000_000, heap)
        : Format.text("%,.0f s, at most %s", seconds, heap);
  }
}
