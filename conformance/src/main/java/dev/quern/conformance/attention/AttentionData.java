package dev.quern.conformance.attention;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Half;
import dev.quern.data.KvCache;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The operands of an attention case. A rule may change them before a run is opened.
///
/// @param q `[rows][heads * headDim]`; append: k, `[rows][kvHeads * headDim]`
/// @param v append only: `[rows][kvHeads * headDim]`
/// @param keys the cache's plane, `[kvHeads][capacity][headDim]` elements of its format. What lies
///   beyond the positions in use is NaN, and under append everything is
/// @param values as `keys`
public record AttentionData(float[] q, float[] v, byte[] keys, byte[] values) {
  private static final int MANY = 1 << 18;
  private static final int MANY_COLS = 1024;

  public static AttentionData of(AttentionCase c) {
    AttentionData data = of(c, plane(c), plane(c));
    if (!c.append()) {
      int count = Math.multiplyExact(c.kvHeads() * c.headDim(), c.positions());
      int columns = columns(c, count);
      float[] keys = Values.NORMAL.fill(count, columns, new Mix(c.seed(), "keys"));
      float[] values = c.values().fill(count, columns, new Mix(c.seed(), "values"));
      boolean f16 = c.kv().equals("F16");
      int i = 0;
      for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
        // Heads differ in size, so that reading another head's shows.
        float sign = kvHead % 2 == 0 ? 1 : -1;
        float factor = 1 << kvHead % 4;
        for (int t = 0; t < c.positions(); t++) {
          for (int d = 0; d < c.headDim(); d++, i++) {
            set(data.keys, c, kvHead, t, d, keys[i] * sign);
            double value = f16 ? Math.clamp(values[i], -4096f, 4096f) : values[i];
            set(data.values, c, kvHead, t, d, value * factor);
          }
        }
      }
      if (c.positions() >= Needles.FROM) {
        Needles.put(data, c);
      }
    }
    return data;
  }

  /// Rows that are appended or attend, over a cache that there is already.
  static AttentionData of(AttentionCase c, byte[] keys, byte[] values) {
    return new AttentionData(query(c), v(c), keys, values);
  }

  private static float[] query(AttentionCase c) {
    int columns = columns(c);
    Values distribution = c.append() ? c.values() : Values.NORMAL;
    float[] q = distribution.fill(c.rows() * columns, columns, new Mix(c.seed(), "q"));
    for (int i = 0; i < q.length; i++) {
      // Zeros of either sign are stored as they are.
      q[i] = c.append() ? (i % 13 == 5 ? -0f : q[i]) : Math.scalb(q[i], c.qExponent());
    }
    return q;
  }

  private static float[] v(AttentionCase c) {
    int columns = columns(c);
    return c.append()
        ? c.values().fill(c.rows() * columns, columns, new Mix(c.seed(), "v"))
        : new float[0];
  }

  /// What counts as a row of keys or values where it is filled: a position; of very many numbers
  /// some positions in a row, since rows are then alike (see [Values#fill]).
  private static int columns(AttentionCase c, int count) {
    return count <= MANY ? c.headDim() : c.headDim() * Math.max(1, MANY_COLS / c.headDim());
  }

  /// Columns of q, or of k and v.
  static int columns(AttentionCase c) {
    return (c.append() ? c.kvHeads() : c.heads()) * c.headDim();
  }

  private static byte[] plane(AttentionCase c) {
    byte[] plane =
        new byte
            [Math.toIntExact(
                KvCache.planeBytes(c.kvFormat(), c.kvHeads(), c.headDim(), c.capacity()))];
    Arrays.fill(plane, (byte) 0xff); // NaN as F32 and as F16
    return plane;
  }

  /// Sets an element of a plane, rounded to the cache's format.
  public static void set(byte[] plane, AttentionCase c, int kvHead, int t, int d, double value) {
    ByteBuffer bytes = ByteBuffer.wrap(plane).order(ByteOrder.LITTLE_ENDIAN);
    int i = (kvHead * c.capacity() + t) * c.headDim() + d;
    if (c.kv().equals("F16")) {
      bytes.putShort(2 * i, Half.toF16(value));
    } else {
      bytes.putFloat(4 * i, (float) value);
    }
  }

  /// An element of a plane.
  public static double get(byte[] plane, AttentionCase c, int kvHead, int t, int d) {
    ByteBuffer bytes = ByteBuffer.wrap(plane).order(ByteOrder.LITTLE_ENDIAN);
    int i = (kvHead * c.capacity() + t) * c.headDim() + d;
    return c.kv().equals("F16") ? Half.f16(bytes.getShort(2 * i)) : bytes.getFloat(4 * i);
  }

  /// What a row's head is, by the oracle.
  ///
  /// @param row row of q
  /// @param position its position
  public AttentionOracle oracle(AttentionCase c, int row, int head, int position) {
    int kvHead = head / c.group();
    double[] k = head(keys, c, kvHead, position + 1);
    double[] v = head(values, c, kvHead, position + 1);
    return oracle(c, row, head, k, v, position);
  }

  /// The same, from the KV head's keys and values.
  AttentionOracle oracle(
      AttentionCase c, int row, int head, double[] keys, double[] values, int position) {
    double[] query = new double[c.headDim()];
    for (int d = 0; d < c.headDim(); d++) {
      query[d] = q[row * columns(c) + head * c.headDim() + d];
    }
    return AttentionOracle.of(query, keys, values, position, c.spec());
  }

  /// The first positions of a KV head of a plane, `[positions][headDim]`.
  static double[] head(byte[] plane, AttentionCase c, int kvHead, int positions) {
    double[] head = new double[Math.multiplyExact(positions, c.headDim())];
    ByteBuffer bytes = ByteBuffer.wrap(plane).order(ByteOrder.LITTLE_ENDIAN);
    int first = kvHead * c.capacity() * c.headDim();
    boolean f16 = c.kv().equals("F16");
    for (int i = 0; i < head.length; i++) {
      head[i] = f16 ? Half.f16(bytes.getShort(2 * (first + i))) : bytes.getFloat(4 * (first + i));
    }
    return head;
  }
}
