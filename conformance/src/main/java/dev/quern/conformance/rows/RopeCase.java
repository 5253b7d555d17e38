package dev.quern.conformance.rows;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import java.util.List;

/// A RoPE operator and one call of it.
///
/// @param pairing which elements form a pair
/// @param heads heads of a row
/// @param halfDim pairs of a head
/// @param rows rows
/// @param firstPosition table row of the first row
/// @param spare rows of the table beyond the last one used
/// @param xPad floats between two rows of x
/// @param tablePad floats between two rows of the table
/// @param x how x is distributed
/// @param schedule threads
/// @param seed of the operands
public record RopeCase(
    RopePairing pairing,
    int heads,
    int halfDim,
    int rows,
    int firstPosition,
    int spare,
    int xPad,
    int tablePad,
    Values x,
    Schedule schedule,
    long seed)
    implements Case {

  /// The smallest ordinary case of a pairing.
  public static RopeCase of(RopePairing pairing) {
    return new RopeCase(pairing, 1, 1, 1, 0, 0, 0, 0, Values.NORMAL, Schedule.ONE, 1);
  }

  public int headDim() {
    return 2 * halfDim;
  }

  /// Column of the first element of a pair; its second is [#partner] of it.
  int first(int head, int pair) {
    return head * headDim() + (pairing == RopePairing.ADJACENT ? 2 * pair : pair);
  }

  /// Column of the second element of the pair that begins at a column.
  int partner(int first) {
    return first + (pairing == RopePairing.ADJACENT ? 1 : halfDim);
  }

  @Override
  public List<Size> sizes() {
    return List.of(
        new Size("heads", heads),
        new Size("headDim", headDim()),
        new Size("positions", firstPosition + rows));
  }

  @Override
  public String small() {
    return "heads=2,halfDim=4,rows=2,firstPosition=1,spare=1,xPad=0,tablePad=0,x=normal,"
        + "schedule=1/sequential";
  }

  @Override
  public String longRow() {
    return "heads=1,halfDim=64,rows=1,firstPosition=9000,spare=1,xPad=0,tablePad=0,x=normal,"
        + "schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    String other = pairing == RopePairing.ADJACENT ? "half-split" : "adjacent";
    return List.of("pairing=" + other, "heads=" + (heads + 1), "halfDim=" + (halfDim + 1));
  }

  @Override
  public RopeSpec spec() {
    return new RopeSpec(heads, headDim(), pairing);
  }
}
