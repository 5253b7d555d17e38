package dev.quern.conformance.linear;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WhenAbsent;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// A linear operator and one call of it.
///
/// @param format weight format
/// @param numerics the one numerics that is tolerated, or `any`
/// @param rows rows of x
/// @param outputs outputs of each stacked matrix
/// @param inputs columns of x
/// @param xPad floats between two rows of x
/// @param yPad floats between two rows of y
/// @param accumulate whether y is added to
/// @param bias whether there is a bias
/// @param x how x is distributed
/// @param weights how the weights are
/// @param schedule threads
/// @param seed of the operands
public record LinearCase(
    String format,
    String numerics,
    int rows,
    List<Integer> outputs,
    int inputs,
    int xPad,
    int yPad,
    boolean accumulate,
    @WhenAbsent("false") boolean bias,
    Values x,
    WeightValues weights,
    Schedule schedule,
    long seed)
    implements Case {

  /// The numerics of a case that tolerates all of them.
  public static final String ANY = "any";

  /// Names of a spec with a bias and of one without, in support declarations.
  static final String BIAS = "bias";

  static final String NO_BIAS = "no-bias";

  public LinearCase {
    outputs = List.copyOf(outputs);
  }

  /// The smallest ordinary case of a format.
  public static LinearCase of(BlockFormat format, String numerics) {
    return new LinearCase(
        format.id(),
        numerics,
        1,
        List.of(1),
        format.blockElements(),
        0,
        0,
        false,
        false,
        Values.NORMAL,
        WeightValues.NORMAL,
        Schedule.ONE,
        1);
  }

  public BlockFormat blockFormat() {
    return BlockFormat.byId(format)
        .orElseThrow(
            () -> new IllegalArgumentException("format=" + format + ", no standard format"));
  }

  /// Outputs of all matrices.
  public int totalOutputs() {
    return outputs.stream().mapToInt(Integer::intValue).sum();
  }

  @Override
  public int unit(String component) {
    return component.equals("inputs") ? blockFormat().blockElements() : 1;
  }

  @Override
  public List<Size> sizes() {
    return List.of(
        new Size("inputs", inputs),
        new Size("outputs", totalOutputs()),
        new Size("stacked", outputs.size()));
  }

  @Override
  public String small() {
    int block = blockFormat().blockElements();
    return String.format(
        Locale.ROOT,
        "rows=2,outputs=2,inputs=%d,xPad=0,yPad=0,x=normal,weights=normal,schedule=1/sequential",
        block == 1 ? 64 : block);
  }

  @Override
  public String soaked() {
    return small() + ",accumulate=false";
  }

  @Override
  public String longRow() {
    return "rows=1,outputs=5,inputs=36864,xPad=0,yPad=0,accumulate=false,x=normal,weights=normal,"
        + "schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    List<String> others = new ArrayList<>();
    others.add("accumulate=" + !accumulate);
    others.add("bias=" + !bias);
    others.add("outputs=" + (totalOutputs() + 4));
    others.add("inputs=" + (inputs + blockFormat().blockElements()));
    others.add("numerics=" + ANY);
    List<BlockFormat> formats = BlockFormat.standard();
    for (int next = 1; next <= 2; next++) {
      BlockFormat f = formats.get((formats.indexOf(blockFormat()) + next) % formats.size());
      if (inputs % f.blockElements() == 0) {
        others.add("format=" + f.id());
      }
    }
    return others;
  }

  @Override
  public LinearSpec spec() {
    Set<Numerics> tolerated =
        Numerics.standard().stream()
            .filter(n -> numerics.equals(ANY) || n.id().equals(numerics))
            .collect(Collectors.toUnmodifiableSet());
    return new LinearSpec(blockFormat(), totalOutputs(), inputs, accumulate, bias, tolerated);
  }
}
