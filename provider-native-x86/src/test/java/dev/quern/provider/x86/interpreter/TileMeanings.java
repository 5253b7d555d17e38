package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Op;
import java.util.Map;

/// AMX. A product of tiles: `c[m][n] += Σ a[m][k] · b[k][n]`, where an element of a and b is a
/// group of 4 bytes: four int8, or two BF16.
final class TileMeanings {
  private TileMeanings() {}

  static void define(Map<Op, Meaning> all) {
    all.put(
        Op.LDTILECFG,
        m -> {
          byte[] config = new byte[64];
          m.memory.read(m.address(0), config, 0, 64);
          m.tiles.configure(config);
        });
    all.put(Op.TILERELEASE, m -> m.tiles.release());
    all.put(Op.TILEZERO, m -> m.tiles.set(m.tile(0), empty()));
    all.put(Op.TILELOADD, TileMeanings::load);
    all.put(Op.TILESTORED, TileMeanings::store);
    all.put(Op.TDPBSSD, m -> bytes(m, true, true));
    all.put(Op.TDPBUSD, m -> bytes(m, false, true));
    all.put(Op.TDPBUUD, m -> bytes(m, false, false));
    all.put(Op.TDPBF16PS, TileMeanings::bf16);
  }

  private static byte[] empty() {
    return new byte[Tiles.ROWS * Tiles.ROW_BYTES];
  }

  private static void load(Machine m) {
    byte[] tile = empty();
    int bytes = m.tiles.rowBytes(m.tile(0));
    for (int r = 0; r < m.tiles.rows(m.tile(0)); r++) {
      m.memory.read(m.tileAddress(1) + r * m.tileStride(1), tile, r * Tiles.ROW_BYTES, bytes);
    }
    m.tiles.set(m.tile(0), tile);
  }

  private static void store(Machine m) {
    byte[] tile = m.tiles.data(m.tile(1));
    int bytes = m.tiles.rowBytes(m.tile(1));
    for (int r = 0; r < m.tiles.rows(m.tile(1)); r++) {
      m.memory.write(m.tileAddress(0) + r * m.tileStride(0), tile, r * Tiles.ROW_BYTES, bytes);
    }
  }

  /// SDM volume 2, TDPBSSD, "Exceptions": #UD (AMX-E4) where shapes don't fit.
  private static void checkShapes(Machine m) {
    Tiles t = m.tiles;
    int c = m.tile(0);
    int a = m.tile(1);
    int b = m.tile(2);
    boolean fit =
        t.rows(c) == t.rows(a)
            && t.rowBytes(c) == t.rowBytes(b)
            && t.rowBytes(a) == 4 * t.rows(b)
            && t.rowBytes(c) % 4 == 0;
    if (!fit) {
      throw new Fault(
          "shapes (rows x bytes) don't fit: "
              + shape(t, c)
              + " += "
              + shape(t, a)
              + " by "
              + shape(t, b));
    }
  }

  private static String shape(Tiles t, int tile) {
    return "tmm" + tile + " " + t.rows(tile) + "x" + t.rowBytes(tile);
  }

  private static void bytes(Machine m, boolean aSigned, boolean bSigned) {
    checkShapes(m);
    byte[] a = m.tiles.data(m.tile(1));
    byte[] b = m.tiles.data(m.tile(2));
    byte[] c = m.tiles.data(m.tile(0)).clone();
    int depth = m.tiles.rows(m.tile(2));
    int columns = m.tiles.rowBytes(m.tile(0)) / 4;
    for (int row = 0; row < m.tiles.rows(m.tile(0)); row++) {
      for (int n = 0; n < columns; n++) {
        int sum = Lanes.i32(c, row * 16 + n);
        for (int k = 0; k < depth; k++) {
          for (int i = 0; i < 4; i++) {
            int x = a[row * 64 + 4 * k + i];
            int y = b[k * 64 + 4 * n + i];
            sum += (aSigned ? x : x & 0xFF) * (bSigned ? y : y & 0xFF);
          }
        }
        Lanes.set32(c, row * 16 + n, sum);
      }
    }
    m.tiles.set(m.tile(0), c);
  }

  /// TDPBF16PS: even and odd products are summed apart from zero, then both sums are added, and
  /// that onto the destination.
  private static void bf16(Machine m) {
    checkShapes(m);
    byte[] a = m.tiles.data(m.tile(1));
    byte[] b = m.tiles.data(m.tile(2));
    byte[] c = m.tiles.data(m.tile(0)).clone();
    int depth = m.tiles.rows(m.tile(2));
    int columns = m.tiles.rowBytes(m.tile(0)) / 4;
    for (int row = 0; row < m.tiles.rows(m.tile(0)); row++) {
      for (int n = 0; n < columns; n++) {
        float even = 0;
        float odd = 0;
        for (int k = 0; k < depth; k++) {
          int x = row * 32 + 2 * k;
          int y = k * 32 + 2 * n;
          even = Bf16Meanings.fma(value(a, x), value(b, y), even);
          odd = Bf16Meanings.fma(value(a, x + 1), value(b, y + 1), odd);
        }
        float sum = Bf16Meanings.flush(even + odd);
        float before = Bf16Meanings.flush(Lanes.f32(c, row * 16 + n));
        Lanes.setF32(c, row * 16 + n, Bf16Meanings.flush(before + sum));
      }
    }
    m.tiles.set(m.tile(0), c);
  }

  private static float value(byte[] tile, int lane) {
    return Bf16Meanings.fromBf16(Lanes.u16(tile, lane));
  }
}
