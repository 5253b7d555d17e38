package dev.quern.conformance.hostile;

import dev.quern.data.F32Matrix;
import java.util.Locale;

/// Which elements of a matrix are wrong, and what becomes of them.
///
/// @param where which
/// @param of what a column or row is counted by: a tile's or a vector's width, the first row
/// @param at which of a vector's lanes
/// @param what what becomes of them
record Spot(Where where, int of, int at, Damage what) {

  enum Where {
    LAST_COLUMN,
    /// What is left after whole tiles.
    TAIL,
    /// One lane of each whole vector.
    LANE,
    LAST_ROW,
    /// A row and all after it.
    ROWS_FROM,
    /// A column and all after it.
    COLUMNS_FROM
  }

  enum Damage {
    /// They are left as they were.
    UNWRITTEN,
    /// They are their neighbour's.
    NEIGHBOURS,
    ZERO,
    /// They are read as 0, in the first input and not in y.
    READ_AS_ZERO
  }

  boolean hits(int row, int rows, int col, int columns) {
    return switch (where) {
      case LAST_COLUMN -> col == columns - 1;
      case TAIL -> col >= columns / of * of;
      case LANE -> col < columns / of * of && col % of == at;
      case LAST_ROW -> row == rows - 1;
      case ROWS_FROM -> row >= of;
      case COLUMNS_FROM -> col >= of;
    };
  }

  /// A call that is right but for this.
  void apply(Call call) {
    switch (what) {
      case READ_AS_ZERO -> {
        F32Matrix x = Kernels.copy(call.inputs().getFirst());
        each(x, (r, c) -> x.set(r, c, 0));
        call.withInput(0, x).apply();
      }
      case UNWRITTEN -> {
        F32Matrix y = call.y();
        F32Matrix before = Kernels.copy(y);
        call.apply();
        each(y, (r, c) -> y.set(r, c, before.get(r, c)));
      }
      case NEIGHBOURS -> {
        F32Matrix y = call.y();
        call.apply();
        F32Matrix right = Kernels.copy(y);
        each(y, (r, c) -> y.set(r, c, right.get(r, c > 0 ? c - 1 : y.columns() - 1)));
      }
      case ZERO -> {
        call.apply();
        each(call.y(), (r, c) -> call.y().set(r, c, 0));
      }
    }
  }

  private interface Element {
    void visit(int row, int col);
  }

  private void each(F32Matrix m, Element element) {
    for (int r = 0; r < m.rows(); r++) {
      for (int c = 0; c < m.columns(); c++) {
        if (hits(r, m.rows(), c, m.columns())) {
          element.visit(r, c);
        }
      }
    }
  }

  @Override
  public String toString() {
    String which =
        switch (where) {
          case LAST_COLUMN -> "the last column";
          case TAIL -> String.format(Locale.ROOT, "what is left after columns in tiles of %d", of);
          case LANE -> String.format(Locale.ROOT, "lane %d of each %d columns", at, of);
          case LAST_ROW -> "the last row";
          case ROWS_FROM -> String.format(Locale.ROOT, "row %d and on", of);
          case COLUMNS_FROM -> String.format(Locale.ROOT, "column %d and on", of);
        };
    return switch (what) {
      case UNWRITTEN -> which + " is not written";
      case NEIGHBOURS -> which + " has the neighbour's value";
      case ZERO -> which + " is 0";
      case READ_AS_ZERO -> which + " of the first input is read as 0";
    };
  }
}
