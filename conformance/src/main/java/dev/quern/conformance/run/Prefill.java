package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// What outputs and scratch hold before a call.
public enum Prefill {
  /// NaN, as F32, as F64 and as binary16.
  NAN,
  /// Zero bytes.
  ZERO,
  /// Numbers of ordinary size, as left by another call.
  STALE;

  private static final byte[] STALE_FLOAT = {(byte) 0x9a, (byte) 0x99, 0x45, 0x40}; // 3.0875

  void fill(MemorySegment segment) {
    switch (this) {
      case NAN -> segment.fill((byte) 0xff);
      case ZERO -> segment.fill((byte) 0);
      case STALE -> {
        for (long at = 0; at < segment.byteSize(); at++) {
          segment.set(JAVA_BYTE, at, STALE_FLOAT[(int) (at % 4)]);
        }
      }
    }
  }
}
