package dev.quern.provider.x86.activation;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;

/// Calls of the routines of one row on random operands, and where the results differ from the
/// reference's bits; empty if nowhere. Operands have no byte to spare, and gaps lie between them.
final class RowCalls {
  private static final int ARGUMENT_BYTES = 64;
  private static final long GAP = 256;

  private static final float[] EDGES = {
    0,
    -0f,
    1,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    88.5f,
    -88.5f,
    87.7f,
    -87.9f,
    3e38f,
    -3e38f,
    Float.MIN_VALUE,
    1e-20f,
    300,
    -300
  };

  private RowCalls() {}

  static String rmsNorm(WideRoutine routine, int lanes, int width, int seed) {
    Random random = new Random(seed);
    float[] x = gaussian(random, width);
    float[] weight = gaussian(random, width);
    float epsilon = seed % 3 == 0 ? 0 : 0.1f;
    if (seed % 8 == 7) {
      x[random.nextInt(width)] = EDGES[3 + seed / 8 % 3];
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = segment(arena, new float[ARGUMENT_BYTES / 4]);
      MemorySegment xs = segment(arena, x);
      MemorySegment weights = segment(arena, weight);
      MemorySegment y = segment(arena, new float[width]);
      RmsNormCode.operands(block, 0, xs.address(), weights.address(), y.address());
      RmsNormCode.norm(block, 0, width, lanes, epsilon);
      routine.call(block.address(), block, xs, weights, weights, y);
      return difference(ActivationReference.rmsNorm(x, weight, epsilon, lanes), y);
    }
  }

  static String swiGlu(WideRoutine routine, int lanes, int width, int seed) {
    Random random = new Random(seed);
    float[] gate = gaussian(random, width);
    float[] up = gaussian(random, width);
    float[] expected = new float[width];
    for (int i = 0; i < width; i++) {
      gate[i] =
          random.nextInt(4) == 0
              ? EDGES[random.nextInt(EDGES.length)]
              : gate[i] * Math.scalb(1f, random.nextInt(8));
      expected[i] = ActivationReference.swiGlu(gate[i], up[i]);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = segment(arena, new float[ARGUMENT_BYTES / 4]);
      MemorySegment gates = segment(arena, gate);
      MemorySegment ups = segment(arena, up);
      MemorySegment y = segment(arena, new float[width]);
      SwiGluCode.arguments(block, 0, gates.address(), ups.address(), y.address(), width, lanes);
      routine.call(block.address(), block, gates, ups, ups, y);
      return difference(expected, y);
    }
  }

  /// Two heads.
  static String rope(WideRoutine routine, int lanes, boolean adjacent, int headDim, int seed) {
    Random random = new Random(seed);
    RopeSpec spec =
        new RopeSpec(2, headDim, adjacent ? RopePairing.ADJACENT : RopePairing.HALF_SPLIT);
    float[] x = gaussian(random, 2 * headDim);
    float[] angles = gaussian(random, headDim); // not of a circle: each must come from its place
    if (seed % 4 == 3) {
      x[random.nextInt(x.length)] = EDGES[3 + seed / 4 % 3];
    }
    float[] expected = new float[x.length];
    int pairs = headDim / 2;
    for (int head = 0; head < x.length; head += headDim) {
      for (int j = 0; j < pairs; j++) {
        int a = head + (adjacent ? 2 * j : j);
        int b = a + (adjacent ? 1 : pairs);
        float[] turned =
            ActivationReference.rotate(x[a], x[b], angles[j], angles[pairs + j], adjacent);
        expected[a] = turned[0];
        expected[b] = turned[1];
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = segment(arena, new float[ARGUMENT_BYTES / 4]);
      MemorySegment table = segment(arena, angles);
      MemorySegment xs = segment(arena, x);
      RopeCode.arguments(block, 0, xs.address(), table.address(), spec, adjacent, lanes);
      routine.call(block.address(), block, table, table, table, xs);
      return difference(expected, xs);
    }
  }

  private static float[] gaussian(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// At some distance from its neighbours.
  static MemorySegment segment(Arena arena, float[] values) {
    long bytes = (long) Float.BYTES * values.length;
    MemorySegment segment = arena.allocate(GAP + bytes + GAP, 64).asSlice(GAP, bytes);
    MemorySegment.copy(values, 0, segment, JAVA_FLOAT, 0, values.length);
    return segment;
  }

  static String difference(float[] expected, MemorySegment y) {
    for (int i = 0; i < expected.length; i++) {
      float value = y.getAtIndex(JAVA_FLOAT, i);
      boolean same =
          Float.floatToRawIntBits(expected[i]) == Float.floatToRawIntBits(value)
              || Float.isNaN(expected[i]) && Float.isNaN(value);
      if (!same) {
        return String.format(Locale.ROOT, "y[%d]: %s, expected %s", i, value, expected[i]);
      }
    }
    return "";
  }
}
