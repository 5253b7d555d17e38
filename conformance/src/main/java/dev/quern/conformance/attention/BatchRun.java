package dev.quern.conformance.attention;

import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Operand;
import dev.quern.conformance.run.Run;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A call over several sequences. Its result is that of each of them, one behind the other.
final class BatchRun extends Run {
  private final List<AttentionRun> alone;
  private final List<SequenceRows> batch = new ArrayList<>();
  private final F32Matrix q; // append: k
  private final F32Matrix v; // append only
  private final F32Matrix y; // apply only

  /// @param alone each sequence's call of its own, on the same kernel; the operands are copies. A
  ///   call that is there twice has one cache
  BatchRun(List<AttentionRun> alone, Memory memory) {
    super(memory);
    this.alone = alone;
    AttentionCase c = first();
    int columns = AttentionData.columns(c);
    float[] all = joined(alone.stream().map(a -> a.data().q()).toList());
    q = inputMatrix(c.append() ? "k" : "q", all, columns, c.qPad());
    for (int i = 0; i < alone.size(); i++) {
      AttentionRun a = alone.get(i);
      int same = alone.indexOf(a);
      KvCache cache = same < i ? batch.get(same).cache() : cache(a, i);
      batch.add(new SequenceRows(a.rows(), cache, a.spec().firstPosition()));
    }
    float[] vs = joined(alone.stream().map(a -> a.data().v()).toList());
    v = c.append() ? inputMatrix("v", vs, columns, c.yPad()) : null;
    y = c.append() ? null : outputMatrix("y", new float[all.length], columns, c.yPad(), true);
  }

  private KvCache cache(AttentionRun a, int i) {
    AttentionCase c = a.spec();
    List<Operand.Range> written = c.append() ? AttentionRun.appended(c) : List.of();
    MemorySegment keys = operand(memory(), "keys " + i, a.data().keys(), 4, written, true);
    MemorySegment values = operand(memory(), "values " + i, a.data().values(), 4, written, true);
    return new KvCache(keys, values, c.kvFormat(), c.capacity());
  }

  private static float[] joined(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(p -> p.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private AttentionCase first() {
    return alone.getFirst().spec();
  }

  @Override
  public AttentionKernel kernel() {
    return alone.getFirst().kernel();
  }

  @Override
  public List<Variant> variants() {
    return alone.getFirst().variants();
  }

  @Override
  public int rows() {
    return q.rows();
  }

  @Override
  public boolean yieldsF32() {
    return alone.getFirst().yieldsF32();
  }

  @Override
  protected void invoke(Workspace w) {
    if (first().append()) {
      kernel().append(q, v, batch, w);
    } else {
      kernel().apply(q, batch, y, w);
    }
  }

  /// What a call wrote for each sequence, as a call of its own yields it.
  List<byte[]> parts(byte[] result) {
    AttentionCase c = first();
    int rowBytes =
        c.append()
            ? 2 * AttentionData.columns(c) * c.kvFormat().elementBytes()
            : Float.BYTES * AttentionData.columns(c);
    List<byte[]> parts = new ArrayList<>();
    int at = 0;
    for (AttentionRun a : alone) {
      parts.add(Arrays.copyOfRange(result, at, at += a.rows() * rowBytes));
    }
    return parts;
  }

  @Override
  public Judgement withinBounds(byte[] result) {
    Judgement verdict = new Judgement();
    List<byte[]> parts = parts(result);
    IntStream.range(0, parts.size())
        .forEach(i -> verdict.add("sequence " + i, alone.get(i).withinBounds(parts.get(i))));
    return verdict;
  }

  @Override
  public String boundRule() {
    return alone.getFirst().boundRule();
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    throw oneCall();
  }

  @Override
  public Run rowRange(int from, int to) {
    throw oneCall();
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    throw oneCall();
  }

  @Override
  protected void reread() {
    throw oneCall();
  }

  /// Rules that make other calls of a call have those of one sequence.
  private static UnsupportedOperationException oneCall() {
    return new UnsupportedOperationException("a batch is one call");
  }
}
