package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.quern.data.F32Matrix;
import java.lang.foreign.MemorySegment;

/// Activations of `int8-asym-row` (rule L7), x[i] = s * (q[i] - z): KleidiAI's `qai8dxp`
/// (`kai_lhs_quant_pack_qai8dxp_f32.c`), which rounds half away from zero since 1.22.
///
/// ```
/// prepared row of x   q: i8[inputs] | s: f32 | z: i32
/// ```
record Int8Asym(int inputs) {
  long bytes() {
    return step() + 8;
  }

  /// Offset of s.
  long step() {
    return Scratch.align(inputs);
  }

  /// Offset of z.
  long zeroPoint() {
    return step() + 4;
  }

  void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    MemorySegment data = x.data();
    long at = x.offsetBytes(row, 0);
    float hi = 0; // NaN if there is one: Math.max and Math.min keep it
    float lo = 0;
    for (int i = 0; i < inputs; i++) {
      float xi = data.get(JAVA_FLOAT, at + 4L * i);
      hi = Math.max(hi, xi);
      lo = Math.min(lo, xi);
    }
    float inverse = lo == hi ? 1 : 255 / (hi - lo); // s' of the rule
    float s = inverse == 0 ? 0 : 1 / inverse;
    int z = zeroPoint(lo * inverse, hi * inverse);
    for (int i = 0; i < inputs; i++) {
      long q = (long) Int8.round(data.get(JAVA_FLOAT, at + 4L * i) * inverse) + z;
      scratch.set(JAVA_BYTE, to + i, (byte) Math.clamp(q, -128, 127));
    }
    // A step of NaN makes every output of the row NaN (rule L10).
    boolean finite = Float.isFinite(hi) && Float.isFinite(lo);
    scratch.set(JAVA_FLOAT, to + step(), finite ? s : Float.NaN);
    scratch.set(JAVA_INT, to + zeroPoint(), z);
  }

  /// The zero point from the end of the range that is represented better.
  private static int zeroPoint(float lo, float hi) {
    float z = (-128 + lo) + (127 + hi) > 0 ? -128 - lo : 127 - hi;
    return (int) Math.rint(Math.min(127, Math.max(-128, z)));
  }
}
