package dev.quern.conformance.attention;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WhenAbsent;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import java.util.List;

/// An attention operator and one call of it.
///
/// @param kv format of the cache
/// @param append whether the call is `append` and not `apply`
/// @param kvHeads key/value heads
/// @param group query heads of a key/value head
/// @param headDim elements of a head
/// @param rows rows of q (append: of k and v)
/// @param firstPosition position of the first row
/// @param spare positions of the cache beyond the last row's
/// @param beyond how many positions the spec's maximum exceeds the cache's capacity by
/// @param qPad floats between two rows of q (append: of k)
/// @param yPad floats between two rows of y (append: of v)
/// @param qExponent q is scaled by this power of two
/// @param scaleExponent the spec's scale is `2^scaleExponent / sqrt(headDim)`
/// @param window the spec's
/// @param softCap the spec's
/// @param values how the cache's values are distributed; q and keys are about normal
/// @param schedule threads
/// @param seed of the operands
public record AttentionCase(
    String kv,
    boolean append,
    int kvHeads,
    int group,
    int headDim,
    int rows,
    int firstPosition,
    int spare,
    int beyond,
    int qPad,
    int yPad,
    int qExponent,
    int scaleExponent,
    @WhenAbsent("0") int window,
    @WhenAbsent("0") float softCap,
    Values values,
    Schedule schedule,
    long seed)
    implements Case {

  /// The smallest ordinary case of a cache format.
  public static AttentionCase of(KvFormat kv) {
    return new AttentionCase(
        kv.id(), false, 1, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, Values.NORMAL, Schedule.ONE, 1);
  }

  public KvFormat kvFormat() {
    return kv.equals("F16") ? KvFormat.F16 : new KvFormat(kv, Float.BYTES);
  }

  public int heads() {
    return kvHeads * group;
  }

  /// Positions that are filled when the call has ended.
  public int positions() {
    return firstPosition + rows;
  }

  public int capacity() {
    return positions() + spare;
  }

  @Override
  public List<Size> sizes() {
    return List.of(
        new Size("heads", heads()),
        new Size("kvHeads", kvHeads),
        new Size("group", group),
        new Size("headDim", headDim),
        new Size("positions", positions()),
        new Size("capacity", capacity()));
  }

  @Override
  public String small() {
    return "kvHeads=1,group=2,headDim=8,rows=1,firstPosition=2,spare=61,beyond=0,qPad=0,yPad=0,"
        + "qExponent=0,scaleExponent=0,values=normal,schedule=1/sequential";
  }

  @Override
  public String longRow() {
    return "append=false,kvHeads=1,group=1,headDim=8,rows=1,firstPosition=33000,spare=7,beyond=0,"
        + "qPad=0,yPad=0,qExponent=0,scaleExponent=0,values=normal,schedule=1/sequential";
  }

  @Override
  public List<String> otherSpecs() {
    return List.of(
        "kv=" + (kv.equals("F16") ? "F32" : "F16"),
        "kvHeads=" + (kvHeads + 1),
        "group=" + (group + 1),
        "headDim=" + (headDim + 1),
        "beyond=" + (beyond + 7),
        "scaleExponent=" + (scaleExponent > 0 ? scaleExponent - 1 : scaleExponent + 1),
        "window=" + (window + 1),
        "softCap=" + (softCap == 0 ? 1 : softCap / 2));
  }

  @Override
  public AttentionSpec spec() {
    return new AttentionSpec(
            heads(),
            kvHeads,
            headDim,
            capacity() + beyond,
            (float) (Math.scalb(1.0, scaleExponent) / Math.sqrt(headDim)),
            kvFormat())
        .withWindow(window)
        .withSoftCap(softCap);
  }

  /// The first position that a row sees.
  int firstVisible(int row) {
    return spec().firstVisible(firstPosition + row);
  }

  /// Which scores count, and as what: a name in declarations and reports.
  Scores scores() {
    return Scores.of(window, softCap);
  }

  @Override
  public String shapeClass() {
    return (append ? "append, " : "") + Case.super.shapeClass();
  }
}
