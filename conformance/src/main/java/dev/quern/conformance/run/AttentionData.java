package dev.quern.conformance.run;

import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.oracle.AttentionOracle;
import dev.quern.conformance.oracle.Half;
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
  public static AttentionData of(AttentionCase c) {
    AttentionData data = new AttentionData(query(c, c.seed()), v(c), plane(c), plane(c));
    if (!c.append()) {
      int count = c.kvHeads() * c.positions() * c.headDim();
      float[] keys = Values.NORMAL.fill(count, c.headDim(), new Mix(c.seed(), "keys"));
      float[] values = c.values().fill(count, c.headDim(), new Mix(c.seed(), "values"));
      for (int i = 0; i < count; i++) {
        int d = i % c.headDim();
        int t = i / c.headDim() % c.positions();
        int kvHead = i / c.headDim() / c.positions();
        // Heads differ in size, so that reading another head's shows.
        float factor = 1 << kvHead % 4;
        set(data.keys, c, kvHead, t, d, keys[i] * (kvHead % 2 == 0 ? 1 : -1));
        double value = c.kv().equals("F16") ? Math.clamp(values[i], -4096f, 4096f) : values[i];
        set(data.values, c, kvHead, t, d, value * factor);
      }
    }
    return data;
  }

  AttentionData withQuery(AttentionCase c, long seed) {
    return new AttentionData(query(c, seed), v, keys, values);
  }

  private static float[] query(AttentionCase c, long seed) {
    int cols = cols(c);
    Values distribution = c.append() ? c.values() : Values.NORMAL;
    float[] q = distribution.fill(c.rows() * cols, cols, new Mix(seed, "q"));
    for (int i = 0; i < q.length; i++) {
      // Zeros of either sign are stored as they are.
      q[i] = c.append() ? (i % 13 == 5 ? -0f : q[i]) : Math.scalb(q[i], c.qExponent());
    }
    return q;
  }

  private static float[] v(AttentionCase c) {
    int cols = cols(c);
    return c.append()
        ? c.values().fill(c.rows() * cols, cols, new Mix(c.seed(), "v"))
        : new float[0];
  }

  /// Columns of q, or of k and v.
  static int cols(AttentionCase c) {
    return (c.append() ? c.kvHeads() : c.heads()) * c.headDim();
  }

  private static byte[] plane(AttentionCase c) {
    int bytes = (int) KvCache.planeBytes(c.kvFormat(), c.kvHeads(), c.headDim(), c.capacity());
    byte[] plane = new byte[bytes];
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
    double[] query = new double[c.headDim()];
    for (int d = 0; d < c.headDim(); d++) {
      query[d] = q[row * cols(c) + head * c.headDim() + d];
    }
    int kvHead = head / c.group();
    return AttentionOracle.of(
        query,
        (t, d) -> get(keys, c, kvHead, t, d),
        (t, d) -> get(values, c, kvHead, t, d),
        position,
        c.spec().scale());
  }
}
