package dev.quern.conformance.run;

import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.oracle.AttentionOracle;
import dev.quern.conformance.oracle.Half;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// An attention kernel with its operands: a call of `apply`, or of `append` if the case says so.
public final class AttentionRun extends Run {
  private final AttentionCase c;
  private final AttentionData data;
  private final Offer.Accepted<AttentionKernel> offer;
  private final F32Matrix q; // append: k
  private final F32Matrix v; // append only
  private final F32Matrix y; // apply only
  private final KvCache cache;

  private AttentionRun(
      AttentionCase c, AttentionData data, Offer.Accepted<AttentionKernel> offer, Memory memory) {
    super(memory);
    this.c = c;
    this.data = data;
    this.offer = offer;
    int cols = AttentionData.cols(c);
    this.q = inputMatrix(c.append() ? "k" : "q", data.q(), cols, c.qPad());
    List<Operand.Range> written = c.append() ? appended(c) : List.of();
    MemorySegment keys = operand(memory, "keys", data.keys(), 4, written, true);
    MemorySegment values = operand(memory, "values", data.values(), 4, written, true);
    this.cache = new KvCache(keys, values, c.kvFormat(), c.capacity());
    this.v = c.append() ? inputMatrix("v", data.v(), cols, c.yPad()) : null;
    this.y =
        c.append() ? null : outputMatrix("y", new float[c.rows() * cols], cols, c.yPad(), true);
    note(String.format(Locale.ROOT, "%d of %d positions in use", c.positions(), c.capacity()));
  }

  /// Generates the operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static AttentionRun open(AttentionCase c, Target target, Memory memory) {
    return open(c, AttentionData.of(c), target, memory);
  }

  /// Takes given operands.
  public static AttentionRun open(
      AttentionCase c, AttentionData data, Target target, Memory memory) {
    Offer.Accepted<AttentionKernel> offer =
        DeclinedException.accepted(target.provider().attention(c.spec()));
    return new AttentionRun(c, data, offer, memory);
  }

  /// The bytes of a plane that append writes.
  private static List<Operand.Range> appended(AttentionCase c) {
    List<Operand.Range> ranges = new ArrayList<>();
    long rowBytes = (long) c.headDim() * c.kvFormat().elementBytes();
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      long first = (long) kvHead * c.capacity() + c.firstPosition();
      ranges.add(new Operand.Range(first * rowBytes, (first + c.rows()) * rowBytes));
    }
    return ranges;
  }

  public AttentionCase spec() {
    return c;
  }

  public AttentionData data() {
    return data;
  }

  @Override
  public AttentionKernel kernel() {
    return offer.kernel();
  }

  @Override
  public List<Variant> variants() {
    return offer.variants();
  }

  @Override
  public int rows() {
    return c.rows();
  }

  @Override
  public boolean yieldsF32() {
    return !c.append() || c.kv().equals("F32");
  }

  @Override
  protected void invoke(Workspace w) {
    if (c.append()) {
      offer.kernel().append(q, v, cache, c.firstPosition(), w);
    } else {
      offer.kernel().apply(q, cache, c.firstPosition(), y, w);
    }
  }

  /// Row r at its position. The cache keeps its capacity, so the spec stays the same.
  @Override
  public Run row(int r) {
    int cols = AttentionData.cols(c);
    AttentionCase alone =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=1,firstPosition=%d,spare=%d",
                c.firstPosition() + r,
                c.capacity() - c.firstPosition() - r - 1));
    AttentionData row =
        new AttentionData(
            Arrays.copyOfRange(data.q(), r * cols, (r + 1) * cols),
            c.append() ? Arrays.copyOfRange(data.v(), r * cols, (r + 1) * cols) : data.v(),
            data.keys(),
            data.values());
    return new AttentionRun(alone, row, offer, memory());
  }

  @Override
  public Run sibling(long seed) {
    return new AttentionRun(c, data.withQuery(c, seed), offer, memory());
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int elements = c.append() ? c.headDim() : AttentionData.cols(c);
    int rowBytes = elements * (c.append() ? c.kvFormat().elementBytes() : 4);
    if (!c.append()) {
      return Arrays.copyOfRange(result, r * rowBytes, (r + 1) * rowBytes);
    }
    // [keys, values][kvHead][row]: one piece of each head of each plane
    ByteBuffer pieces = ByteBuffer.allocate(2 * c.kvHeads() * rowBytes);
    for (int i = 0; i < 2 * c.kvHeads(); i++) {
      pieces.put(result, (i * c.rows() + r) * rowBytes, rowBytes);
    }
    return pieces.array();
  }

  /// Rule A6, or A3 under append. Rows whose scores may be further off than A6 speaks of are left
  /// out.
  @Override
  public Verdict withinBounds(byte[] result) {
    return c.append() ? appended(result) : attended(floats(result));
  }

  private Verdict attended(float[] actual) {
    Verdict verdict = new Verdict();
    for (int r = 0; r < c.rows(); r++) {
      for (int head = 0; head < c.heads(); head++) {
        AttentionOracle exact = data.oracle(c, r, head, c.firstPosition() + r);
        if (exact.scoreError() > 1.0 / 8) {
          continue;
        }
        for (int d = 0; d < c.headDim(); d++) {
          int col = head * c.headDim() + d;
          float value = actual[r * AttentionData.cols(c) + col];
          verdict.close("y", r, col, exact.y()[d], value, exact.bounds()[d]);
        }
      }
    }
    return verdict;
  }

  private Verdict appended(byte[] result) {
    Verdict verdict = new Verdict();
    ByteBuffer actual = ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] from : List.of(data.q(), data.v())) {
      String name = from == data.q() ? "keys" : "values";
      for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
        for (int r = 0; r < c.rows(); r++) {
          for (int d = 0; d < c.headDim(); d++) {
            float value = from[r * AttentionData.cols(c) + kvHead * c.headDim() + d];
            String where =
                String.format(
                    Locale.ROOT, "%s[head %d][position %d]", name, kvHead, c.firstPosition() + r);
            stored(verdict, where, d, value, actual);
          }
        }
      }
    }
    return verdict;
  }

  /// One element, exactly; subnormals may be zero (rule P20), any NaN is any NaN.
  private void stored(Verdict verdict, String where, int d, float value, ByteBuffer actual) {
    boolean f16 = c.kv().equals("F16");
    float found = f16 ? (float) Half.f16(actual.getShort()) : actual.getFloat();
    float expected = f16 ? (float) Half.f16(Half.toF16(value)) : value;
    boolean subnormal = value != 0 && Math.abs(value) < (f16 ? 0x1p-14f : Float.MIN_NORMAL);
    boolean flushed = found == 0 && subnormal;
    if (!flushed) {
      verdict.same(where, d, expected, found);
    }
  }
}
