package dev.quern.testing;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/// Weights for tests, and what SPEC.md, section F, says they mean: one element at a time, by bit
/// positions, sharing no code with the codecs.
public final class TestWeights {
  private TestWeights() {}

  /// Random weights of about unit size. All integers occur; scales and minimums are moderate.
  /// Nothing is aligned.
  public static WeightMatrix random(
      BlockFormat format, int outputs, int inputs, Random random, Arena arena) {
    MemorySegment data = bytes(outputs * format.rowBytes(inputs), random, arena);
    MemorySegment scales =
        bytes(format.scalePlane().bytes(outputs, format.blocksPerRow(inputs)), random, arena);
    int step = format.blockBytes();
    for (long block = 0; block < data.byteSize(); block += step) {
      switch (format.id()) {
        case "F32" -> data.set(JAVA_FLOAT_UNALIGNED, block, (float) random.nextGaussian());
        case "F16" -> f16(data, block, random.nextGaussian());
        case "BF16" -> bf16(data, block, random.nextGaussian());
        case "Q8_0", "IQ4_NL" -> f16(data, block, random.nextGaussian() / 64);
        case "Q4_0", "Q5_0" -> f16(data, block, random.nextGaussian() / 8);
        case "Q4_1", "Q5_1" -> {
          f16(data, block, random.nextGaussian() / 8);
          f16(data, block + 2, random.nextGaussian());
        }
        case "MXFP4" -> data.set(JAVA_BYTE, block, (byte) (123 + random.nextInt(5)));
        case "Q2_K" -> {
          f16(data, block + 80, random.nextGaussian() / 16);
          f16(data, block + 82, random.nextGaussian() / 16);
        }
        case "Q3_K" -> f16(data, block + 108, random.nextGaussian() / 64);
        case "Q4_K", "Q5_K" -> {
          f16(data, block, random.nextGaussian() / 512);
          f16(data, block + 2, random.nextGaussian() / 64);
        }
        case "Q6_K" -> f16(data, block + 208, random.nextGaussian() / 1024);
        default -> {} // scales are in their plane
      }
    }
    for (long at = 0; at < scales.byteSize(); at += format.scalePlane().scaleBytes()) {
      if (format.scalePlane().scaleBytes() == 2) {
        bf16(scales, at, random.nextGaussian() / 8);
      } else {
        scales.set(JAVA_FLOAT_UNALIGNED, at, (float) random.nextGaussian() / 64);
      }
    }
    return new WeightMatrix(format, data, scales, outputs, inputs);
  }

  private static final int[] IQ4_NL = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private static final int[] MXFP4 = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  /// All weights of a matrix, `[outputs][inputs]`.
  public static float[][] decode(WeightMatrix w) {
    float[][] values = new float[w.outputs()][w.inputs()];
    for (int o = 0; o < w.outputs(); o++) {
      for (int i = 0; i < w.inputs(); i++) {
        values[o][i] = value(w, o, i);
      }
    }
    return values;
  }

  /// `W[o][i]`: [#scale] `*` [#integer] `+` [#offset], each operation rounded to F32.
  public static float value(WeightMatrix w, int o, int i) {
    BlockFormat format = w.format();
    long bit = blockBit(w, o, i);
    return switch (format.id()) {
      case "F32" -> Float.intBitsToFloat((int) bits(w.data(), bit, 32));
      case "F16" -> f16(w.data(), bit);
      case "BF16" -> bf16(w.data(), bit);
      case "Q4_1", "Q5_1", "Q2_K", "Q4_K", "Q5_K" ->
          (float) ((double) (float) ((double) scale(w, o, i) * integer(w, o, i)) + offset(w, o, i));
      default -> (float) ((double) scale(w, o, i) * integer(w, o, i));
    };
  }

  /// The integer of a weight of a format that has integers.
  public static int integer(WeightMatrix w, int o, int i) {
    MemorySegment data = w.data();
    long b = blockBit(w, o, i);
    int e = i % w.format().blockElements(); // element of the block
    int j = e / 32; // sub-block of the K formats
    return switch (w.format().id()) {
      case "Q8_0" -> signedByte(data, b + 16 + 8 * e);
      case "Q4_0" -> low(data, b + 16, e) - 8;
      case "IQ4_NL" -> IQ4_NL[low(data, b + 16, e)];
      case "MXFP4" -> MXFP4[low(data, b + 8, e)];
      case "Q2_K" -> (int) bits(data, b + 128 + 8 * (32 * (e / 128) + e % 32) + 2 * (j % 4), 2);
      case "Q3_K" ->
          (int)
                  (bits(data, b + 256 + 8 * (32 * (e / 128) + e % 32) + 2 * (j % 4), 2)
                      + 4 * bits(data, b + 8 * (e % 32) + j, 1))
              - 4;
      case "Q4_1" -> low(data, b + 32, e);
      case "Q5_0" -> (int) (low(data, b + 48, e) + 16 * bits(data, b + 16 + e, 1)) - 16;
      case "Q5_1" -> (int) (low(data, b + 64, e) + 16 * bits(data, b + 32 + e, 1));
      case "Q4_K" -> (int) bits(data, b + 128 + 8 * (32 * (j / 2) + e % 32) + 4 * (j % 2), 4);
      case "Q5_K" ->
          (int)
              (bits(data, b + 384 + 8 * (32 * (j / 2) + e % 32) + 4 * (j % 2), 4)
                  + 16 * bits(data, b + 128 + 8 * (e % 32) + j, 1));
      case "Q6_K" -> {
        int half = e / 128;
        int quarter = e % 128 / 32;
        long four =
            bits(data, b + 8 * (64 * half + 32 * (quarter % 2) + e % 32) + 4 * (quarter / 2), 4);
        long two = bits(data, b + 1024 + 8 * (32 * half + e % 32) + 2 * quarter, 2);
        yield (int) (four + 16 * two) - 32;
      }
      case "INT8_C" -> signedByte(data, b);
      default -> (int) bits(data, b + 4 * e, 4) - 8; // INT4_Bg: element 2j low, 2j + 1 high
    };
  }

  /// What the integer of a weight is multiplied with, in F32.
  public static float scale(WeightMatrix w, int o, int i) {
    long b = blockBit(w, o, i);
    int e = i % w.format().blockElements();
    return switch (w.format().id()) {
      case "MXFP4" -> {
        int exponent = (int) bits(w.data(), b, 8);
        yield exponent == 255 ? Float.NaN : (float) Math.scalb(1.0, exponent - 128);
      }
      case "Q2_K" ->
          (float) ((double) f16(w.data(), b + 640) * bits(w.data(), b + 8 * (e / 16), 4));
      case "Q3_K" ->
          (float) ((double) f16(w.data(), b + 864) * (sc3(w.data(), b + 768, e / 16) - 32));
      case "Q4_K", "Q5_K" -> (float) ((double) f16(w.data(), b) * sc(w.data(), b + 32, e / 32));
      case "Q6_K" ->
          (float)
              ((double) f16(w.data(), b + 208 * 8)
                  * signedByte(w.data(), b + 192 * 8 + 8 * (e / 16)));
      case "INT8_C" -> Float.intBitsToFloat((int) bits(w.scales(), 32L * o, 32));
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" ->
          bf16(w.scales(), 16 * blockIndex(w, o, i));
      default -> f16(w.data(), b);
    };
  }

  /// What is added to the scaled integer of a weight, in F32; 0 in formats without an offset.
  public static float offset(WeightMatrix w, int o, int i) {
    long b = blockBit(w, o, i);
    return switch (w.format().id()) {
      case "Q4_1", "Q5_1" -> f16(w.data(), b + 16);
      case "Q2_K" -> {
        int group = i % w.format().blockElements() / 16;
        yield (float) -((double) f16(w.data(), b + 656) * bits(w.data(), b + 8 * group + 4, 4));
      }
      case "Q4_K", "Q5_K" ->
          (float)
              -((double) f16(w.data(), b + 16)
                  * mn(w.data(), b + 32, i % w.format().blockElements() / 32));
      default -> 0;
    };
  }

  private static long sc3(MemorySegment data, long s, int j) {
    return bits(data, s + 8 * (j % 8) + 4 * (j / 8), 4)
        + 16 * bits(data, s + 64 + 8 * (j % 4) + 2 * (j / 4), 2);
  }

  private static long sc(MemorySegment data, long s, int j) {
    return j < 4
        ? bits(data, s + 8 * j, 6)
        : bits(data, s + 8 * (j + 4), 4) + 16 * bits(data, s + 8 * (j - 4) + 6, 2);
  }

  private static long mn(MemorySegment data, long s, int j) {
    return j < 4
        ? bits(data, s + 8 * (j + 4), 6)
        : bits(data, s + 8 * (j + 4) + 4, 4) + 16 * bits(data, s + 8 * j + 6, 2);
  }

  /// The nibble of element e of a block of 32: elements 16 .. 31 are the high halves.
  private static int low(MemorySegment data, long nibbles, int e) {
    return (int) bits(data, nibbles + 8 * (e % 16) + 4 * (e / 16), 4);
  }

  private static int signedByte(MemorySegment data, long bit) {
    long value = bits(data, bit, 8);
    return (int) (value < 128 ? value : value - 256);
  }

  private static long blockIndex(WeightMatrix w, int o, int i) {
    return ((long) o * w.inputs() + i) / w.format().blockElements();
  }

  private static long blockBit(WeightMatrix w, int o, int i) {
    return 8 * w.format().blockBytes() * blockIndex(w, o, i);
  }

  /// `count` bits from a bit position, least significant first.
  private static long bits(MemorySegment data, long bit, int count) {
    long value = 0;
    for (int k = 0; k < count; k++) {
      long at = bit + k;
      value |= (data.get(JAVA_BYTE, at / 8) >>> at % 8 & 1L) << k;
    }
    return value;
  }

  private static float bf16(MemorySegment data, long bit) {
    return Float.intBitsToFloat((int) bits(data, bit, 16) << 16);
  }

  private static float f16(MemorySegment data, long bit) {
    double sign = bits(data, bit + 15, 1) == 0 ? 1 : -1;
    int exponent = (int) bits(data, bit + 10, 5);
    double fraction = bits(data, bit, 10) / 1024.0;
    double magnitude =
        switch (exponent) {
          case 0 -> fraction * 0x1p-14;
          case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> (1 + fraction) * Math.scalb(1.0, exponent - 15);
        };
    return (float) (sign * magnitude);
  }

  private static void f16(MemorySegment data, long offset, double value) {
    data.set(JAVA_SHORT_UNALIGNED, offset, Float.floatToFloat16((float) value));
  }

  private static void bf16(MemorySegment data, long offset, double value) {
    data.set(JAVA_SHORT_UNALIGNED, offset, (short) (Float.floatToRawIntBits((float) value) >>> 16));
  }

  /// Random bytes at an odd address.
  private static MemorySegment bytes(long count, Random random, Arena arena) {
    byte[] bytes = new byte[Math.toIntExact(count)];
    random.nextBytes(bytes);
    MemorySegment segment = arena.allocate(count + 1, 64).asSlice(1, count);
    MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
    return segment;
  }
}
