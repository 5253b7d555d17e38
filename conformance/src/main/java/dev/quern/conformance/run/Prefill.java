package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// What outputs and scratch hold before a call.
public enum Prefill {
  /// NaN, as F32, as F64 and as binary16.
  NAN(0xffffffff),
  /// Zero bytes.
  ZERO(0),
  /// Numbers of ordinary size, as left by another call: 3.0875.
  STALE(0x4045999a),
  /// Infinities, as F32; as binary16 with zeros between.
  INFINITE(0x7f800000),
  /// Large numbers, -1.7e38.
  HUGE(0xff000000),
  /// The smallest subnormal; as an integer 1, as a byte mostly 0.
  TINY(1);

  private final int bits; // four bytes, little-endian

  Prefill(int bits) {
    this.bits = bits;
  }

  void fill(MemorySegment segment) {
    long size = segment.byteSize();
    for (long at = 0; at < Math.min(Integer.BYTES, size); at++) {
      segment.set(JAVA_BYTE, at, (byte) (bits >>> 8 * at));
    }
    for (long filled = Integer.BYTES; filled < size; filled *= 2) {
      MemorySegment.copy(segment, 0, segment, filled, Math.min(filled, size - filled));
    }
  }
}
