package dev.quern.conformance.cases;

import dev.quern.op.SwiGluSpec;
import java.util.List;

/// A SwiGLU operator and one call of it.
///
/// @param width columns
/// @param rows rows
/// @param gatePad floats between two rows of gate
/// @param upPad floats between two rows of up
/// @param yPad floats between two rows of y; without effect in place
/// @param alias where y lies
/// @param gate how gate is distributed
/// @param up how up is
/// @param schedule threads
/// @param seed of the operands
public record SwiGluCase(
    int width,
    int rows,
    int gatePad,
    int upPad,
    int yPad,
    Alias alias,
    Values gate,
    Values up,
    Schedule schedule,
    long seed)
    implements Case {

  /// Where y lies.
  public enum Alias {
    /// In memory of its own.
    NONE,
    /// It is exactly gate.
    GATE,
    /// It is exactly up.
    UP
  }

  /// The smallest ordinary case.
  public static SwiGluCase smallest() {
    return new SwiGluCase(1, 1, 0, 0, 0, Alias.NONE, Values.NORMAL, Values.NORMAL, Schedule.ONE, 1);
  }

  @Override
  public String small() {
    return "width=16,rows=2,gatePad=0,upPad=0,yPad=0,gate=normal,up=normal,schedule=1/sequential";
  }

  @Override
  public String large() {
    return "width=36868,rows=1,gatePad=0,upPad=0,yPad=0,gate=normal,up=normal,"
        + "schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    return List.of("width=" + (width + 1), "width=" + 2 * width);
  }

  @Override
  public SwiGluSpec spec() {
    return new SwiGluSpec(width);
  }
}
