package dev.quern.provider.x86.activation;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// Appends positions to a cache and attends over it, on random operands, and where the results
/// differ from the reference's bits; empty if nowhere. Operands have no byte to spare, gaps lie
/// between them, and scratch and what is not written yet hold NaN.
///
/// @param rows of the call
/// @param firstPosition of the first of them; those before are appended one by one
record AttentionCalls(AttentionSpec spec, int lanes, int rows, int firstPosition, int seed) {
  private static final int PAD = 3;

  AttentionLayout layout() {
    return new AttentionLayout(spec.headDim(), spec.kv(), lanes);
  }

  /// @param routines attend, fold, finish, append
  String difference(List<WideRoutine> routines, Workers workers) {
    Random random = new Random(seed);
    X86Attention kernel = new X86Attention(spec, layout(), routines);
    int positions = firstPosition + rows;
    int kvWidth = spec.kvHeads() * spec.headDim();
    int width = spec.heads() * spec.headDim();
    try (Arena arena = Arena.ofShared()) {
      F32Matrix k = matrix(arena, positions, kvWidth, random);
      F32Matrix v = matrix(arena, positions, kvWidth, random);
      F32Matrix q = matrix(arena, rows, width, random);
      spoil(k, v, q, random);
      KvCache cache = cache(arena);
      MemorySegment scratch =
          nan(arena, kernel.scratchBytes(Math.max(rows, firstPosition), workers.parallelism()));
      Workspace w = new Workspace(scratch, workers);
      if (firstPosition > 0) {
        kernel.append(k.firstRows(firstPosition), v.firstRows(firstPosition), cache, 0, w);
      }
      kernel.append(
          k.rowRange(firstPosition, positions),
          v.rowRange(firstPosition, positions),
          cache,
          firstPosition,
          w);
      String stored = stored(k, cache.keys()) + stored(v, cache.values());
      if (!stored.isEmpty()) {
        return stored;
      }
      F32Matrix y = matrix(arena, rows, width, random);
      scratch.fill((byte) -1);
      kernel.apply(q, cache, firstPosition, y, w);
      for (int r = 0; r < rows; r++) {
        for (int h = 0; h < spec.heads(); h++) {
          String difference = compare(q, k, v, y, r, h);
          if (!difference.isEmpty()) {
            return difference;
          }
        }
      }
      return "";
    }
  }

  private String compare(F32Matrix q, F32Matrix k, F32Matrix v, F32Matrix y, int r, int h) {
    int kvHead = h / (spec.heads() / spec.kvHeads());
    int visible = firstPosition + r + 1;
    float[] query = floats(q, r, h, false);
    float[][] keys = new float[visible][];
    float[][] values = new float[visible][];
    for (int t = 0; t < visible; t++) {
      keys[t] = floats(k, t, kvHead, f16());
      values[t] = floats(v, t, kvHead, f16());
    }
    float[] expected = AttentionReference.attend(query, keys, values, spec.scale(), lanes);
    float[] actual = floats(y, r, h, false);
    for (int d = 0; d < expected.length; d++) {
      if (Float.floatToIntBits(expected[d]) != Float.floatToIntBits(actual[d])) {
        return String.format(
            Locale.ROOT, "y[%d][%d][%d]: %s, expected %s", r, h, d, actual[d], expected[d]);
      }
    }
    return "";
  }

  private float[] floats(F32Matrix m, int row, int head, boolean rounded) {
    float[] floats = new float[spec.headDim()];
    for (int d = 0; d < floats.length; d++) {
      float value = m.get(row, head * spec.headDim() + d);
      floats[d] = rounded ? Float.float16ToFloat(Float.floatToFloat16(value)) : value;
    }
    return floats;
  }

  /// Where a plane is not what was appended; beyond the positions it must be as it was.
  private String stored(F32Matrix m, MemorySegment plane) {
    for (int kvHead = 0; kvHead < spec.kvHeads(); kvHead++) {
      for (int t = 0; t < spec.maxPositions(); t++) {
        float[] floats = t < m.rows() ? floats(m, t, kvHead, f16()) : null;
        for (int d = 0; d < spec.headDim(); d++) {
          long at = ((long) kvHead * spec.maxPositions() + t) * spec.headDim() + d;
          float expected = t < m.rows() ? floats(m, t, kvHead, f16())[d] : Float.intBitsToFloat(-1);
          float actual =
              f16()
                  ? Float.float16ToFloat(plane.getAtIndex(JAVA_SHORT, at))
                  : plane.getAtIndex(JAVA_FLOAT, at);
          if (Float.floatToIntBits(expected) != Float.floatToIntBits(actual)) {
            return String.format(
                Locale.ROOT, "cache[%d][%d][%d]: %s, expected %s", kvHead, t, d, actual, expected);
          }
        }
      }
    }
    return "";
  }

  private boolean f16() {
    return spec.kv().equals(KvFormat.F16);
  }

  /// For some seeds one number is none: of the last position, which earlier rows must not see, or
  /// of a query. For others all scores are negative, or infinitely so.
  private void spoil(F32Matrix k, F32Matrix v, F32Matrix q, Random random) {
    int last = k.rows() - 1;
    switch (seed % 8) {
      case 3 -> k.set(last, random.nextInt(k.columns()), Float.NaN);
      case 4 -> v.set(last, random.nextInt(v.columns()), Float.NEGATIVE_INFINITY);
      case 5 ->
          q.set(random.nextInt(q.rows()), random.nextInt(q.columns()), Float.POSITIVE_INFINITY);
      case 6, 7 -> {
        each(q, x -> 100 * Math.abs(x));
        each(k, x -> seed % 8 == 6 ? -Math.abs(x) : Float.NEGATIVE_INFINITY);
      }
      default -> {}
    }
  }

  private interface Change {
    float of(float x);
  }

  private static void each(F32Matrix m, Change change) {
    for (int r = 0; r < m.rows(); r++) {
      for (int c = 0; c < m.columns(); c++) {
        m.set(r, c, change.of(m.get(r, c)));
      }
    }
  }

  private KvCache cache(Arena arena) {
    long bytes = KvCache.planeBytes(spec.kv(), spec.kvHeads(), spec.headDim(), spec.maxPositions());
    return new KvCache(nan(arena, bytes), nan(arena, bytes), spec.kv(), spec.maxPositions());
  }

  /// Rows with something between them.
  private static F32Matrix matrix(Arena arena, int rows, int columns, Random random) {
    int stride = columns + PAD;
    float[] values = new float[(rows - 1) * stride + columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new F32Matrix(RowCalls.segment(arena, values), rows, columns, stride);
  }

  private static MemorySegment nan(Arena arena, long bytes) {
    MemorySegment segment = arena.allocate(64 + bytes + 64, 64).asSlice(64, bytes);
    return segment.fill((byte) -1);
  }
}
