package dev.quern.measure.synthetic;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/// Random weights straight as stored blocks (SPEC.md, section F): quants are random bits, scales
/// are set so that weights have mean 0 and a given standard deviation. Blocks are such as a
/// quantizer could have written: no NaN, no -128 in Q8_0. F32, F16 and BF16 are near-Gaussian.
public final class RandomBlocks {
  // Standard deviations of a uniform integer with that many values: sqrt((n*n - 1) / 12). Where the
  // values are -n/2 .. n/2 - 1, their mean of -1/2 is cancelled by scales of either sign.
  private static final double OF_4 = uniform(4);
  private static final double OF_16 = uniform(16);
  private static final double OF_32 = uniform(32);
  private static final double OF_64 = uniform(64);
  private static final double OF_255 = uniform(255);
  private static final double OF_E2M1 = Math.sqrt(274.0 / 8); // root mean square of 0 .. 12

  // Scales of sub-blocks lie in MIN .. MIN + 31: all that Q4_K's six bits leave above it.
  private static final int SUB_SCALE_MIN = 32;
  private static final double SUB_SCALE = 48.4; // root mean square of 32 .. 63
  private static final double SUB_SCALE_4 = 11.73; // of 8 .. 15, Q2_K's

  private final SplittableRandom random;
  private final double deviation;

  /// Root mean square of a format's integers, of those that [#rootMeanSquare] has been asked for: a
  /// matrix has millions of blocks.
  private final Map<BlockFormat, Double> rootMeanSquares = new HashMap<>();

  /// @param deviation standard deviation of the weights
  public RandomBlocks(SplittableRandom random, double deviation) {
    this.random = random;
    this.deviation = deviation;
  }

  /// Fills a buffer with blocks.
  ///
  /// @param blocks little-endian; from 0 to its limit, a multiple of 8 and of the block's bytes
  public void fill(BlockFormat format, ByteBuffer blocks) {
    if (blocks.order() != ByteOrder.LITTLE_ENDIAN || blocks.limit() % Long.BYTES != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "random blocks: %s bytes in %s order, expected a multiple of 8, little-endian",
              blocks.limit(),
              blocks.order()));
    }
    switch (format.id()) {
      case "F32" -> {
        for (int at = 0; at < blocks.limit(); at += Float.BYTES) {
          blocks.putFloat(at, gaussian());
        }
      }
      case "F16" -> {
        for (int at = 0; at < blocks.limit(); at += Short.BYTES) {
          blocks.putShort(at, Float.floatToFloat16(gaussian()));
        }
      }
      case "BF16" -> {
        for (int at = 0; at < blocks.limit(); at += Short.BYTES) {
          blocks.putShort(at, (short) (Float.floatToRawIntBits(gaussian()) >>> 16));
        }
      }
      default -> {
        for (int at = 0; at < blocks.limit(); at += Long.BYTES) {
          blocks.putLong(at, random.nextLong());
        }
        for (int at = 0; at < blocks.limit(); at += format.blockBytes()) {
          putScales(format, blocks, at);
        }
      }
    }
  }

  private void putScales(BlockFormat format, ByteBuffer b, int at) {
    switch (format.id()) {
      case "Q8_0" -> {
        b.putShort(at, f16(eitherSign(scale(OF_255))));
        for (int i = at + 2; i < at + 34; i++) {
          if (b.get(i) == Byte.MIN_VALUE) {
            b.put(i, (byte) 0);
          }
        }
      }
      case "Q4_0" -> b.putShort(at, f16(eitherSign(scale(OF_16))));
      case "Q5_0" -> b.putShort(at, f16(eitherSign(scale(OF_32))));
      case "Q4_1" -> putScaleAndOffset(b, at, scale(OF_16), -7.5);
      case "Q5_1" -> putScaleAndOffset(b, at, scale(OF_32), -15.5);
      case "MXFP4" -> { // powers of two: so many blocks have the next larger one
        double exact = deviation / OF_E2M1;
        int e = Math.getExponent(exact);
        double squares = exact * exact / Math.scalb(1.0, 2 * e); // 1 + 3 * their share
        b.put(at, (byte) (128 + e + (random.nextDouble() < (squares - 1) / 3 ? 1 : 0)));
      }
      case "Q2_K" -> {
        for (int j = at; j < at + 16; j++) {
          int scale = 8 + (b.get(j) & 7);
          b.put(j, (byte) (scale << 4 | scale)); // the mean of the values is 3 / 2
        }
        double scale = scale(OF_4 * SUB_SCALE_4);
        b.putShort(at + 80, f16(scale));
        b.putShort(at + 82, f16(1.5 * scale));
      }
      case "Q3_K" -> b.putShort(at + 108, f16(eitherSign(scale(signed(64) * signed(8)))));
      case "Q4_K" -> {
        putScaleAndOffset(b, at, scale(OF_16 * SUB_SCALE), 7.5);
        putSubScales(b, at + 4);
      }
      case "Q5_K" -> {
        putScaleAndOffset(b, at, scale(OF_32 * SUB_SCALE), 15.5);
        putSubScales(b, at + 4);
      }
      case "Q6_K" -> {
        for (int j = at + 192; j < at + 208; j++) {
          int scale = SUB_SCALE_MIN + (b.get(j) & 31);
          b.put(j, (byte) (b.get(j) < 0 ? -scale : scale));
        }
        b.putShort(at + 208, f16(scale(OF_64 * SUB_SCALE)));
      }
      default -> {
        double spread = rootMeanSquares.computeIfAbsent(format, RandomBlocks::rootMeanSquare);
        b.putShort(at, f16(eitherSign(scale(spread))));
      }
    }
  }

  /// Root mean square of the integers of a format whose blocks begin with a scale and hold integers
  /// of 4 or 8 bits behind it: as its codec reads blocks of all bytes, by a scale of 1.
  private static double rootMeanSquare(BlockFormat format) {
    if (format.scalePlane() != ScalePlane.INLINE) {
      throw new IllegalArgumentException("random blocks: no generator for the format " + format);
    }
    int values = 256;
    ByteBuffer blocks =
        ByteBuffer.allocate(values * format.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < blocks.capacity(); i++) {
      blocks.put(i, (byte) (i / format.blockBytes()));
    }
    for (int at = 0; at < blocks.capacity(); at += format.blockBytes()) {
      blocks.putShort(at, f16(1));
    }
    int weights = values * format.blockElements();
    float[] row = new float[weights];
    WeightMatrix matrix = new WeightMatrix(format, MemorySegment.ofBuffer(blocks), 1, weights);
    BlockCodec.of(format).orElseThrow().decodeRow(matrix, 0, MemorySegment.ofArray(row), 0);
    double squares = 0;
    for (float value : row) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares / weights);
  }

  private static void putScaleAndOffset(ByteBuffer b, int at, double scale, double offset) {
    b.putShort(at, f16(scale));
    b.putShort(at + 2, f16(scale * offset));
  }

  /// Eight sub-block scales `32 + random`, and minimums equal to them, so that each sub-block's
  /// mean is 0. Four of each lie in the first eight bytes whole, the other four split over all
  /// twelve.
  private static void putSubScales(ByteBuffer b, int s) {
    for (int j = 0; j < 4; j++) {
      int first = SUB_SCALE_MIN + (b.get(s + j) & 31);
      int second = SUB_SCALE_MIN + (b.get(s + j + 8) & 31);
      byte packed = (byte) (second >> 4 << 6 | first);
      b.put(s + j, packed);
      b.put(s + j + 4, packed);
      b.put(s + j + 8, (byte) ((second & 15) << 4 | second & 15));
    }
  }

  /// A block's scale, from 3/4 to 5/4 of what `deviation` asks for.
  private double scale(double ofQuants) {
    return deviation / ofQuants * (0.75 + 0.5 * random.nextDouble());
  }

  private double eitherSign(double scale) {
    return random.nextBoolean() ? scale : -scale;
  }

  /// The sum of four uniform 16-bit numbers: near enough to Gaussian, and quick.
  private float gaussian() {
    long bits = random.nextLong();
    long sum = (bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48);
    return (float) ((sum - 2 * 65535.0) * (deviation / (2 * uniform(65536))));
  }

  private static short f16(double value) {
    return Float.floatToFloat16((float) value);
  }

  /// Root mean square of `-n/2 .. n/2 - 1`.
  private static double signed(double values) {
    return Math.sqrt((values * values + 2) / 12);
  }

  private static double uniform(double values) {
    return Math.sqrt((values * values - 1) / 12);
  }
}
