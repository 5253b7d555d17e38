package dev.quern.conformance.linear;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Repeats;
import dev.quern.conformance.judge.Half;
import dev.quern.data.BlockFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The stored bytes of a generated weight matrix.
///
/// @param data the data plane
/// @param scales the scale plane, empty where there is none
public record WeightBytes(byte[] data, byte[] scales) {

  /// Generates a matrix. Of a very large one, rows are alike (see [Repeats]).
  ///
  /// @param firstOutput output of the first row, which [WeightValues#ONE_HOT] counts from
  public static WeightBytes generate(
      BlockFormat format,
      WeightValues values,
      int outputs,
      int inputs,
      int firstOutput,
      long seed,
      Mix mix) {
    int different = Repeats.different(outputs, inputs);
    WeightBytes rows = rows(format, values, different, inputs, firstOutput, seed, mix);
    if (different == outputs) {
      return rows;
    }
    int[] sources = Repeats.sources(outputs, different, mix);
    return new WeightBytes(
        repeat(rows.data, rows.data.length / different, sources),
        repeat(rows.scales, rows.scales.length / different, sources));
  }

  private static byte[] repeat(byte[] rows, int rowBytes, int[] sources) {
    byte[] repeated = new byte[Math.multiplyExact(rowBytes, sources.length)];
    for (int i = 0; i < sources.length; i++) {
      System.arraycopy(rows, sources[i] * rowBytes, repeated, i * rowBytes, rowBytes);
    }
    return repeated;
  }

  /// Generates all rows. What is not a scale is random bytes first: every integer occurs, and in
  /// the K formats every scale of a sub-block.
  private static WeightBytes rows(
      BlockFormat format,
      WeightValues values,
      int outputs,
      int inputs,
      int firstOutput,
      long seed,
      Mix mix) {
    int blocks = format.blocksPerRow(inputs) * outputs;
    ByteBuffer data =
        ByteBuffer.allocate(blocks * format.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, (byte) mix.next());
    }
    ByteBuffer scales =
        ByteBuffer.allocate((int) format.scalePlane().bytes(outputs, format.blocksPerRow(inputs)))
            .order(ByteOrder.LITTLE_ENDIAN);
    BlockLayout layout = BlockLayout.of(format.id());
    for (int block = 0; block < blocks; block++) {
      int at = block * format.blockBytes();
      if (layout != null && values == WeightValues.ONE_HOT) {
        for (int e = 0; e < format.blockElements(); e++) {
          layout.set(data.array(), at, e, layout.none());
        }
      } else if (layout != null && values == WeightValues.EXTREME && !mix.oneIn(4)) {
        int end = (mix.next() & 1) == 0 ? layout.min() : layout.max();
        for (int e = 0; e < format.blockElements(); e++) {
          layout.set(data.array(), at, e, end);
        }
      }
      if (layout != null && layout.numbers() != null) {
        putNumbers(layout.numbers(), values, data, at, mix);
      } else {
        putScales(format, values, data, at, mix);
      }
    }
    int step = format.scalePlane().scaleBytes();
    for (int at = 0; at < scales.capacity(); at += step) {
      double scale = scale(values, 1.0 / (step == 2 ? 8 : 64), mix);
      if (step == 2) {
        scales.putShort(at, Half.toBf16(scale));
      } else {
        scales.putFloat(at, (float) scale);
      }
    }
    if (values == WeightValues.ONE_HOT) {
      for (int o = 0; o < outputs; o++) {
        int hot = hotInput(firstOutput + o, inputs, seed);
        putOne(format, layout, data, o * inputs + hot);
      }
    }
    return new WeightBytes(data.array(), scales.array());
  }

  /// The input whose weight stands out for an output under [WeightValues#ONE_HOT].
  public static int hotInput(int output, int inputs, long seed) {
    return (int) Math.floorMod(7L * output + seed, (long) inputs);
  }

  private static void putOne(BlockFormat format, BlockLayout layout, ByteBuffer data, int element) {
    int at = element / format.blockElements() * format.blockBytes();
    switch (format.id()) {
      case "F32" -> data.putFloat(at, 1);
      case "F16" -> data.putShort(at, Half.toF16(1));
      case "BF16" -> data.putShort(at, Half.toBf16(1));
      default -> layout.set(data.array(), at, element % format.blockElements(), layout.one());
    }
  }

  private static void putNumbers(
      BlockLayout.Numbers n, WeightValues values, ByteBuffer data, int at, Mix mix) {
    boolean wide = n.power() && values == WeightValues.WIDE; // more so than halves can be
    n.putScale(data, at, wide ? mix.wide(-100, 40) : scale(values, n.typical(), mix));
    if (n.offset() >= 0) {
      data.putShort(at + n.offset(), f16(offset(values, mix)));
    }
  }

  private static void putScales(
      BlockFormat format, WeightValues values, ByteBuffer data, int at, Mix mix) {
    switch (format.id()) {
      case "F32" -> data.putFloat(at, (float) element(values, mix));
      case "F16" -> data.putShort(at, f16(element(values, mix)));
      case "BF16" -> data.putShort(at, Half.toBf16(element(values, mix)));
      case "Q2_K" -> {
        data.putShort(at + 80, f16(scale(values, 1.0 / 16, mix)));
        data.putShort(at + 82, f16(offset(values, mix) / 8));
        for (int j = 0; values == WeightValues.ONE_HOT && j < 16; j++) {
          data.put(at + j, (byte) 1);
        }
      }
      case "Q3_K" -> {
        data.putShort(at + 108, f16(scale(values, 1.0 / 32, mix)));
        for (int j = 0; values == WeightValues.ONE_HOT && j < 12; j++) {
          data.put(at + 96 + j, (byte) (j < 8 ? 0x11 : 0xAA)); // 1 + 32 each
        }
      }
      case "Q4_K", "Q5_K" -> {
        data.putShort(at, f16(scale(values, 1.0 / 512, mix)));
        data.putShort(at + 2, f16(offset(values, mix) / 32));
        if (values == WeightValues.ONE_HOT) {
          putUnitScales(data, at + 4);
        }
      }
      case "Q6_K" -> {
        data.putShort(at + 208, f16(scale(values, 1.0 / 1024, mix)));
        for (int j = 0; values == WeightValues.ONE_HOT && j < 16; j++) {
          data.put(at + 192 + j, (byte) 1);
        }
      }
      default -> {} // scales are in their plane
    }
  }

  /// All sub-block scales 1 and minimums 0, as the twelve bytes of Q4_K and Q5_K hold them.
  private static void putUnitScales(ByteBuffer data, int s) {
    for (int j = 0; j < 12; j++) {
      data.put(s + j, (byte) (j < 4 || j >= 8 ? 1 : 0));
    }
  }

  /// A weight of a format without integers.
  private static double element(WeightValues values, Mix mix) {
    return switch (values) {
      case NORMAL -> mix.normal();
      case ONE_HOT, ZERO -> 0;
      case EXTREME -> (mix.next() & 1) == 0 ? 65504 : mix.wide(-24, -14);
      case WIDE -> mix.wide(-20, 15);
    };
  }

  /// @param typical the scale at which weights are of about unit size
  private static double scale(WeightValues values, double typical, Mix mix) {
    return switch (values) {
      case NORMAL -> typical * mix.normal();
      case ONE_HOT -> 1;
      case ZERO -> 0;
      case EXTREME ->
          switch (mix.below(4)) {
            case 0 -> 65504;
            case 1 -> -0x1p-24; // the smallest binary16
            case 2 -> -65504;
            default -> typical;
          };
      case WIDE -> mix.wide(-20, 15);
    };
  }

  private static double offset(WeightValues values, Mix mix) {
    return values == WeightValues.ONE_HOT ? 0 : scale(values, 1, mix);
  }

  private static short f16(double value) {
    return Half.toF16(value);
  }
}
