package dev.quern.provider.x86.interpreter;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Elements of vectors that are arrays of bytes, little-endian.
final class Lanes {
  private static final VarHandle I16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle I64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Lanes() {}

  static int u8(byte[] v, int lane) {
    return v[lane] & 0xFF;
  }

  static short i16(byte[] v, int lane) {
    return (short) I16.get(v, lane * 2);
  }

  static int u16(byte[] v, int lane) {
    return i16(v, lane) & 0xFFFF;
  }

  static int i32(byte[] v, int lane) {
    return (int) I32.get(v, lane * 4);
  }

  static long i64(byte[] v, int lane) {
    return (long) I64.get(v, lane * 8);
  }

  static float f32(byte[] v, int lane) {
    return Float.intBitsToFloat(i32(v, lane));
  }

  static double f64(byte[] v, int lane) {
    return Double.longBitsToDouble(i64(v, lane));
  }

  static void set16(byte[] v, int lane, int value) {
    I16.set(v, lane * 2, (short) value);
  }

  static void set32(byte[] v, int lane, int value) {
    I32.set(v, lane * 4, value);
  }

  static void set64(byte[] v, int lane, long value) {
    I64.set(v, lane * 8, value);
  }

  static void setF32(byte[] v, int lane, float value) {
    set32(v, lane, Float.floatToRawIntBits(value));
  }

  static void setF64(byte[] v, int lane, double value) {
    set64(v, lane, Double.doubleToRawLongBits(value));
  }
}
