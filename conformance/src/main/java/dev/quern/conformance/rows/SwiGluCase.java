package dev.quern.conformance.rows;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WhenAbsent;
import dev.quern.op.Activation;
import dev.quern.op.SwiGluSpec;
import java.util.List;

/// A SwiGLU operator and one call of it.
///
/// @param width columns
/// @param activation of the gate
/// @param rows rows
/// @param gatePad floats between two rows of gate
/// @param upPad floats between two rows of up
/// @param yPad floats between two rows of y; without effect in place
/// @param alias which of gate, up and y are one matrix
/// @param gate how gate is distributed
/// @param up how up is, where it is another matrix
/// @param schedule threads
/// @param seed of the operands
public record SwiGluCase(
    int width,
    @WhenAbsent("silu") Activation activation,
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

  /// Which of the matrices are one.
  public enum Alias {
    /// Each has memory of its own.
    NONE,
    /// y is exactly gate.
    GATE,
    /// y is exactly up.
    UP,
    /// gate is exactly up.
    INPUTS,
    /// All three are one.
    ALL;

    /// Whether gate and up are one.
    public boolean oneInput() {
      return this == INPUTS || this == ALL;
    }
  }

  /// The smallest ordinary case of an activation.
  public static SwiGluCase of(Activation activation) {
    return new SwiGluCase(
        1, activation, 1, 0, 0, 0, Alias.NONE, Values.NORMAL, Values.NORMAL, Schedule.ONE, 1);
  }

  @Override
  public List<Size> sizes() {
    return List.of(new Size("width", width));
  }

  @Override
  public String small() {
    return "width=16,rows=2,gatePad=0,upPad=0,yPad=0,gate=normal,up=normal,schedule=1/sequential";
  }

  @Override
  public String longRow() {
    return "width=36868,rows=1,gatePad=0,upPad=0,yPad=0,gate=normal,up=normal,"
        + "schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    String other = activation == Activation.SILU ? "gelu-tanh" : "silu";
    return List.of("width=" + (width + 1), "width=" + 2 * width, "activation=" + other);
  }

  @Override
  public SwiGluSpec spec() {
    return new SwiGluSpec(width, activation);
  }
}
