package dev.quern.conformance.rows;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WhenAbsent;
import dev.quern.op.RmsNormSpec;
import java.util.List;

/// An RMSNorm operator and one call of it.
///
/// @param width columns of a group: of a row, where it is one
/// @param groups groups of a row
/// @param epsilon of the spec
/// @param rows rows
/// @param xPad floats between two rows of x
/// @param yPad floats between two rows of y; without effect in place
/// @param inPlace whether y is exactly x
/// @param x how x is distributed
/// @param schedule threads
/// @param seed of the operands
public record RmsNormCase(
    int width,
    @WhenAbsent("1") int groups,
    float epsilon,
    int rows,
    int xPad,
    int yPad,
    boolean inPlace,
    Values x,
    Schedule schedule,
    long seed)
    implements Case {

  /// The smallest ordinary case.
  public static RmsNormCase smallest() {
    return new RmsNormCase(1, 1, 1e-5f, 1, 0, 0, false, Values.NORMAL, Schedule.ONE, 1);
  }

  /// Columns of a row.
  public int columns() {
    return Math.multiplyExact(width, groups);
  }

  /// Changes that make it a case of rows of a width, if it is one of whole rows; else of groups.
  String row(int rowWidth, int groups) {
    return this.groups == 1
        ? "width=" + rowWidth
        : "width=" + rowWidth / groups + ",groups=" + groups;
  }

  @Override
  public List<Size> sizes() {
    return List.of(new Size("width", columns()), new Size("groups", groups));
  }

  @Override
  public String small() {
    return row(16, 2) + ",rows=2,xPad=0,yPad=0,x=normal,schedule=1/sequential";
  }

  @Override
  public String longRow() {
    return row(16388, 17) + ",rows=1,xPad=0,yPad=0,x=normal,schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    return List.of(
        "width=" + (width + 1),
        "epsilon=" + (epsilon == 0.25f ? 1f : 0.25f),
        "epsilon=1.0E-6",
        "groups=" + (groups + 1),
        groups > 1 ? "groups=1,width=" + columns() : "groups=" + width + ",width=1");
  }

  @Override
  public RmsNormSpec spec() {
    return new RmsNormSpec(columns(), epsilon, groups);
  }
}
