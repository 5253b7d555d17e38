package dev.quern.provider.x86.linear.floats;

import dev.quern.provider.x86.linear.panel.PackedPanels;
import dev.quern.provider.x86.linear.panel.RowPacking;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.MemorySegment;

/// The code of a format for rows that are floats, which knows no shapes: one serves all linears of
/// the format. Numbers of inputs are those of whole blocks of weights, but where it says otherwise.
public interface FloatCode {
  PackedPanels panels();

  /// Packs rows into these panels.
  RowPacking packing();

  /// Outputs of a panel as products read it: a multiple of those of a packed one.
  int outputs();

  /// Rows of a tile, at most, in a call of so many rows.
  int maxRows(int rows);

  /// Whether products read weights as they are packed, in a call of so many rows, and not decoded.
  boolean direct(int rows);

  /// Bytes that a row takes in a tile.
  long rowBytes(int inputs);

  /// Copies a row of x to a tile.
  Routine rowCopy();

  /// Writes its arguments.
  ///
  /// @param x address of the row
  /// @param tile address of the tile
  /// @param tileRows of the tile
  /// @param row of the tile
  /// @param inputs of the row, of which the last block may have fewer
  void setRow(MemorySegment block, long at, long x, long tile, int tileRows, int row, int inputs);

  /// Decodes a packed panel; its arguments are `ProductArguments`'.
  Routine decoder();

  /// Bytes of a decoded panel.
  long decodedBytes(int inputs);

  /// Bytes from where a packed panel is decoded to, to where the next one of the same decoded panel
  /// is.
  int decodedStep();

  /// Blocks of a panel as products read it, packed or decoded.
  int blocks(int inputs, boolean direct);

  /// Multiplies a tile by panels, in a call of so many rows; its arguments are `ProductArguments`',
  /// and what [#setProduct] writes.
  Routine product(int rows, int tileRows);

  /// Bytes that products need besides, of each worker; a multiple of 64.
  int spillBytes();

  /// Writes more arguments of a product.
  ///
  /// @param spill address of its memory
  void setProduct(MemorySegment block, long at, int rows, int tileRows, long spill);
}
