package dev.quern.llama.bytes;

import java.security.SecureRandom;

/// SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"), for hash tables whose
/// keys come out of a file: under a key that its author does not know, nobody can choose texts that
/// collide, and so make a table of n entries take n² steps to build.
///
/// (The JDK's own maps of strings and numbers are not in danger: bins with many entries become
/// trees.)
public final class KeyedHash {
  /// With a key of this process.
  public static final KeyedHash OF_PROCESS;

  static {
    SecureRandom random = new SecureRandom();
    OF_PROCESS = new KeyedHash(random.nextLong(), random.nextLong());
  }

  private final long key0;
  private final long key1;

  KeyedHash(long key0, long key1) {
    this.key0 = key0;
    this.key1 = key1;
  }

  /// The hash of `text[from, to)`, as of its bytes in UTF-16, little-endian.
  public long of(char[] text, int from, int to) {
    State state = new State(key0, key1);
    int at = from;
    for (; to - at >= 4; at += 4) {
      state.add(
          text[at]
              | (long) text[at + 1] << 16
              | (long) text[at + 2] << 32
              | (long) text[at + 3] << 48);
    }
    long last = (long) (to - from) * Character.BYTES << 56;
    for (int i = 0; at + i < to; i++) {
      last |= (long) text[at + i] << 16 * i;
    }
    state.add(last);
    return state.finish();
  }

  /// The hash of eight bytes.
  public long of(long value) {
    State state = new State(key0, key1);
    state.add(value);
    state.add((long) Long.BYTES << 56);
    return state.finish();
  }

  /// Lives in registers: it never leaves the methods above.
  private static final class State {
    private long v0;
    private long v1;
    private long v2;
    private long v3;

    private State(long key0, long key1) {
      v0 = key0 ^ 0x736f6d6570736575L; // "somepseudorandomlygeneratedbytes"
      v1 = key1 ^ 0x646f72616e646f6dL;
      v2 = key0 ^ 0x6c7967656e657261L;
      v3 = key1 ^ 0x7465646279746573L;
    }

    private void add(long word) {
      v3 ^= word;
      round();
      v0 ^= word;
    }

    private long finish() {
      v2 ^= 0xff;
      round();
      round();
      round();
      return v0 ^ v1 ^ v2 ^ v3;
    }

    private void round() {
      v0 += v1;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v3;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 += v3;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 += v1;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v2 = Long.rotateLeft(v2, 32);
    }
  }
}
