package dev.quern.provider.x86.interpreter;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;

/// The memory of interpreted code: regions, and nothing between them.
final class Memory {
  private final List<Region> regions;

  Memory(List<Region> regions) {
    this.regions = List.copyOf(regions);
  }

  /// Reads bytes into an array, from an offset on.
  void read(long address, byte[] into, int at, int bytes) {
    Region region = region(address, bytes, "read");
    long offset = address - region.segment().address();
    MemorySegment.copy(region.segment(), JAVA_BYTE, offset, into, at, bytes);
  }

  /// Writes bytes of an array, from an offset on.
  void write(long address, byte[] from, int at, int bytes) {
    Region region = region(address, bytes, "write");
    if (!region.writable()) {
      throw new Fault(
          "write to " + region.name() + ", which is only read: " + place(region, address));
    }
    long offset = address - region.segment().address();
    MemorySegment.copy(from, at, region.segment(), JAVA_BYTE, offset, bytes);
  }

  private Region region(long address, int bytes, String what) {
    Region nearest = null;
    for (Region r : regions) {
      long offset = address - r.segment().address();
      if (offset >= 0 && offset + bytes <= r.segment().byteSize()) {
        return r;
      }
      if (nearest == null || Math.abs(offset) < Math.abs(address - nearest.segment().address())) {
        nearest = r;
      }
    }
    throw new Fault(
        String.format(
            Locale.ROOT,
            "%s of %d bytes outside of all operands; the nearest: %s",
            what,
            bytes,
            nearest == null ? "none" : place(nearest, address)));
  }

  private static String place(Region region, long address) {
    return String.format(
        Locale.ROOT,
        "%s, %d bytes, at %+d",
        region.name(),
        region.segment().byteSize(),
        address - region.segment().address());
  }
}
