package dev.quern.llama.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Makes damaged files out of sound ones. The same random numbers make the same file.
final class GgufMutator {
  // Where counts, lengths and offsets go wrong: at the limits of types, and at zero.
  private static final long[] LIMITS = {
    0,
    1,
    2,
    5,
    8,
    9,
    13,
    31,
    32,
    255,
    65535,
    65536,
    Integer.MAX_VALUE,
    1L << 31,
    0xffff_ffffL,
    1L << 32,
    1L << 60,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE - 31,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -32,
    -1
  };

  private final SplittableRandom random;
  private final List<GgufBytes> samples;

  GgufMutator(SplittableRandom random, List<GgufBytes> samples) {
    this.random = random;
    this.samples = samples;
  }

  byte[] next() {
    GgufBytes sample = samples.get(random.nextInt(samples.size()));
    byte[] bytes = sample.bytes();
    int edits = 1 + random.nextInt(3);
    for (int i = 0; i < edits; i++) {
      bytes = edit(bytes, sample);
    }
    return bytes;
  }

  private byte[] edit(byte[] bytes, GgufBytes sample) {
    if (bytes.length == 0) {
      return bytes;
    }
    return switch (random.nextInt(10)) {
      case 0 -> flipBits(bytes);
      case 1 -> randomBytes(bytes);
      case 2 -> Arrays.copyOf(bytes, random.nextInt(bytes.length)); // cut short
      case 3 -> Arrays.copyOf(bytes, bytes.length + random.nextInt(100)); // zeros behind
      case 4 -> splice(bytes, samples.get(random.nextInt(samples.size())).bytes());
      case 5 -> delete(bytes);
      case 6 -> splice(bytes, bytes.clone()); // a part appears twice
      // Before an edit that moves bytes the fields are where the sample had them; after it they
      // are as good as any place.
      default -> editField(bytes, sample);
    };
  }

  private byte[] flipBits(byte[] bytes) {
    for (int i = random.nextInt(8); i >= 0; i--) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return bytes;
  }

  private byte[] randomBytes(byte[] bytes) {
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }

  private byte[] splice(byte[] bytes, byte[] from) {
    int at = random.nextInt(bytes.length);
    int begin = random.nextInt(from.length);
    int length = random.nextInt(Math.min(from.length - begin, 200) + 1);
    int kept = at + random.nextInt(Math.min(bytes.length - at, 200) + 1); // replaces up to here
    return ByteBuffer.allocate(at + length + bytes.length - kept)
        .put(bytes, 0, at)
        .put(from, begin, length)
        .put(bytes, kept, bytes.length - kept)
        .array();
  }

  private byte[] delete(byte[] bytes) {
    return splice(bytes, new byte[1]);
  }

  private byte[] editField(byte[] bytes, GgufBytes sample) {
    List<GgufBytes.Field> fields = sample.fields();
    // Counts and types of the header stand first and matter most.
    int most = random.nextBoolean() ? fields.size() : Math.min(fields.size(), 12);
    GgufBytes.Field field = fields.get(random.nextInt(most));
    if (field.offset() + 8 > bytes.length) {
      return bytes;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long old = buffer.getLong(field.offset());
    long value =
        switch (random.nextInt(4)) {
          case 0 -> LIMITS[random.nextInt(LIMITS.length)];
          case 1 -> old + random.nextInt(-3, 4);
          case 2 -> bytes.length - field.offset() - field.bytes() + random.nextInt(-2, 3);
          default -> random.nextInt(64);
        };
    byte[] number = new byte[8];
    ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    buffer.put(field.offset(), number, 0, field.bytes());
    return bytes;
  }
}
