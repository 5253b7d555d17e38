package dev.quern.provider.x86.interpreter;

/// The tile registers of AMX and their configuration (SDM volume 1, chapter 18).
final class Tiles {
  static final int ROWS = 16;
  static final int ROW_BYTES = 64;

  private static final int PALETTE = 0;
  private static final int START_ROW = 1;
  private static final int COLSB = 16;
  private static final int ROWS_AT = 48;

  /// Each `[16][64]` bytes.
  private final byte[][] data = new byte[8][ROWS * ROW_BYTES];

  private final int[] rows = new int[8];
  private final int[] rowBytes = new int[8];
  private boolean configured;

  boolean configured() {
    return configured;
  }

  /// LDTILECFG: 64 bytes; byte 0 the palette, u16 bytes a row from 16 on, u8 rows from 48 on.
  void configure(byte[] config) {
    release();
    if (config[PALETTE] == 0) {
      return;
    }
    if (config[PALETTE] != 1 || config[START_ROW] != 0) {
      throw new Fault(
          "ldtilecfg: palette "
              + config[PALETTE]
              + ", start row "
              + config[START_ROW]
              + ", expected 1 and 0");
    }
    for (int i = 2; i < 64; i++) {
      boolean used = i >= COLSB && i < COLSB + 16 || i >= ROWS_AT && i < ROWS_AT + 8;
      if (!used && config[i] != 0) {
        throw new Fault("ldtilecfg: byte " + i + " is reserved and not zero");
      }
    }
    for (int t = 0; t < 8; t++) {
      rows[t] = Lanes.u8(config, ROWS_AT + t);
      rowBytes[t] = Lanes.u16(config, COLSB / 2 + t);
      if (rows[t] > ROWS || rowBytes[t] > ROW_BYTES || (rows[t] == 0) != (rowBytes[t] == 0)) {
        throw new Fault(
            "ldtilecfg: tmm" + t + " has " + rows[t] + " rows of " + rowBytes[t] + " bytes");
      }
    }
    configured = true;
  }

  /// TILERELEASE.
  void release() {
    for (int t = 0; t < 8; t++) {
      rows[t] = 0;
      rowBytes[t] = 0;
      data[t] = new byte[ROWS * ROW_BYTES];
    }
    configured = false;
  }

  int rows(int tile) {
    usable(tile);
    return rows[tile];
  }

  int rowBytes(int tile) {
    usable(tile);
    return rowBytes[tile];
  }

  byte[] data(int tile) {
    usable(tile);
    return data[tile];
  }

  /// Replaces all of a tile. What is beyond its rows and columns is zero.
  void set(int tile, byte[] all) {
    usable(tile);
    data[tile] = all;
  }

  private void usable(int tile) {
    if (!configured || rows[tile] == 0) {
      throw new Fault("tmm" + tile + " is not configured");
    }
  }
}
