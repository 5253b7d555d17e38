package dev.quern.conformance.attention;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Half;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Operand;
import dev.quern.conformance.run.Run;
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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// An attention kernel with its operands: a call of `apply`, or of `append` if the case says so.
public final class AttentionRun extends Run {
  /// From this many products of queries and keys on, rows are judged at the same time.
  private static final long MANY_PRODUCTS = 1L << 18;

  /// Products whose judging is affordable: half a second or so.
  private static final long MOST_PRODUCTS = 1L << 28;

  /// What an exp takes, in products.
  private static final int EXP_PRODUCTS = 8;

  /// Rows and heads of a KV head that are judged however long it takes.
  private static final int LEAST_PAIRS = 8;

  private final AttentionCase c;
  private AttentionData data;
  private final Offer.Accepted<AttentionKernel> offer;
  private final F32Matrix q; // append: k
  private final F32Matrix v; // append only
  private final F32Matrix y; // apply only
  private final KvCache cache;

  AttentionRun(
      AttentionCase c, AttentionData data, Offer.Accepted<AttentionKernel> offer, Memory memory) {
    this(c, data, offer, memory, Optional.empty());
  }

  /// @param place the cache whose memory the cache has, if it has no memory of its own
  private AttentionRun(
      AttentionCase c,
      AttentionData data,
      Offer.Accepted<AttentionKernel> offer,
      Memory memory,
      Optional<KvCache> place) {
    super(memory);
    this.c = c;
    this.data = data;
    this.offer = offer;
    int columns = AttentionData.columns(c);
    this.q = inputMatrix(c.append() ? "k" : "q", data.q(), columns, c.qPad());
    List<Operand.Range> written = c.append() ? appended(c) : List.of();
    MemorySegment keys = plane("keys", data.keys(), written, place.map(KvCache::keys));
    MemorySegment values = plane("values", data.values(), written, place.map(KvCache::values));
    this.cache = new KvCache(keys, values, c.kvFormat(), c.capacity());
    this.v = c.append() ? inputMatrix("v", data.v(), columns, c.yPad()) : null;
    this.y =
        c.append()
            ? null
            : outputMatrix("y", new float[c.rows() * columns], columns, c.yPad(), true);
    note(String.format(Locale.ROOT, "%d of %d positions in use", c.positions(), c.capacity()));
  }

  private MemorySegment plane(
      String name, byte[] bytes, List<Operand.Range> written, Optional<MemorySegment> place) {
    return place
        .map(p -> operandAt(p.asSlice(0, bytes.length), name, bytes, written, true))
        .orElseGet(() -> operand(memory(), name, bytes, 4, written, true));
  }

  /// Generates the operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static AttentionRun open(AttentionCase c, Candidate target, Memory memory) {
    return open(c, AttentionData.of(c), target, memory);
  }

  /// Takes given operands.
  public static AttentionRun open(
      AttentionCase c, AttentionData data, Candidate target, Memory memory) {
    Offer.Accepted<AttentionKernel> offer =
        DeclinedException.accepted(target.kernels().attention(c.spec()));
    return new AttentionRun(c, data, offer, memory);
  }

  /// The bytes of a plane that append writes.
  static List<Operand.Range> appended(AttentionCase c) {
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

  /// Rows at their positions. The cache keeps its capacity, so the spec stays the same.
  @Override
  public Run rowRange(int from, int to) {
    int columns = AttentionData.columns(c);
    AttentionCase alone =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,firstPosition=%d,spare=%d",
                to - from,
                c.firstPosition() + from,
                c.capacity() - c.firstPosition() - to));
    AttentionData rows =
        new AttentionData(
            Arrays.copyOfRange(data.q(), from * columns, to * columns),
            c.append() ? Arrays.copyOfRange(data.v(), from * columns, to * columns) : data.v(),
            data.keys(),
            data.values());
    return new AttentionRun(alone, rows, offer, memory());
  }

  /// This call on a cache of another capacity that holds the same positions. The spec's largest
  /// capacity stays.
  ///
  /// @param more positions, not more than the case's `beyond`
  public AttentionRun withCapacity(int more) {
    AttentionCase other =
        CaseText.with(
            c,
            String.format(Locale.ROOT, "spare=%d,beyond=%d", c.spare() + more, c.beyond() - more));
    AttentionData same =
        new AttentionData(
            data.q(), data.v(), moved(data.keys(), other), moved(data.values(), other));
    return new AttentionRun(other, same, offer, memory());
  }

  /// A plane's heads, further apart; NaN lies between.
  private byte[] moved(byte[] plane, AttentionCase other) {
    int position = c.headDim() * c.kvFormat().elementBytes();
    byte[] moved = new byte[c.kvHeads() * other.capacity() * position];
    Arrays.fill(moved, (byte) 0xff);
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      System.arraycopy(
          plane,
          kvHead * c.capacity() * position,
          moved,
          kvHead * other.capacity() * position,
          c.capacity() * position);
    }
    return moved;
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    int most = c.capacity() + c.beyond();
    int fit = Math.min(rows, most);
    int first = Math.min(c.firstPosition() + more, most - fit);
    int spare = Math.min(c.spare(), most - first - fit);
    AttentionCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,firstPosition=%d,spare=%d,beyond=%d,qPad=%d,yPad=%d,seed=%d",
                fit,
                first,
                spare,
                most - first - fit - spare,
                c.qPad() + more,
                c.yPad() + more,
                seed));
    return new AttentionRun(next, AttentionData.of(next), offer, memory);
  }

  /// The next call of a session: on the same cache, as calls have left it.
  ///
  /// @param append whether it is `append`
  public AttentionRun then(boolean append, int rows, int firstPosition, long seed) {
    return then(append, rows, firstPosition, c.capacity(), seed);
  }

  /// The first call of another session, whose cache has this one's memory.
  ///
  /// @param capacity its positions, not more
  public AttentionRun then(boolean append, int rows, int firstPosition, int capacity, long seed) {
    int spare = capacity - firstPosition - rows;
    AttentionCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "append=%s,rows=%d,firstPosition=%d,spare=%d,beyond=%d,seed=%d",
                append,
                rows,
                firstPosition,
                spare,
                c.capacity() + c.beyond() - capacity,
                seed));
    int bytes = (int) KvCache.planeBytes(c.kvFormat(), c.kvHeads(), c.headDim(), capacity);
    AttentionData held =
        AttentionData.of(
            next,
            cache.keys().asSlice(0, bytes).toArray(JAVA_BYTE),
            cache.values().asSlice(0, bytes).toArray(JAVA_BYTE));
    return new AttentionRun(next, held, offer, memory(), Optional.of(cache));
  }

  /// What a cache holds that nothing was appended to.
  public void clear() {
    cache.keys().fill((byte) 0xff);
    cache.values().fill((byte) 0xff);
  }

  /// Copies positions of another session's cache to the same ones of this session's.
  public void copyCache(AttentionRun other, int positions) {
    long position = (long) c.headDim() * c.kvFormat().elementBytes();
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      long to = kvHead * c.capacity() * position;
      long from = kvHead * other.c.capacity() * position;
      cache.keys().asSlice(to).copyFrom(other.cache.keys().asSlice(from, positions * position));
      cache.values().asSlice(to).copyFrom(other.cache.values().asSlice(from, positions * position));
    }
  }

  @Override
  protected void reread() {
    float[] vs = c.append() ? held(v) : data.v();
    data = new AttentionData(held(q), vs, held(cache.keys()), held(cache.values()));
  }

  @Override
  public String boundRule() {
    return c.append() ? "A3" : "A6";
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int elements = c.append() ? c.headDim() : AttentionData.columns(c);
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
  public Judgement withinBounds(byte[] result) {
    return c.append() ? appended(result) : attended(floats(result));
  }

  private Judgement attended(float[] actual) {
    Judgement verdict = new Judgement();
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      double[] keys = AttentionData.head(data.keys(), c, kvHead, c.positions());
      double[] values = AttentionData.head(data.values(), c, kvHead, c.positions());
      List<Pair> pairs = pairs(kvHead);
      boolean many = (long) pairs.size() * keys.length >= MANY_PRODUCTS;
      List<AttentionOracle> exact =
          (many ? pairs.parallelStream() : pairs.stream())
              .map(p ->
                  data.oracle(c, p.row, p.head, keys, values, c.firstPosition() + p.row)
                      .withoutWeights())
              .toList();
      for (int i = 0; i < pairs.size(); i++) {
        if (exact.get(i).scoreError() <= 1.0 / 8) {
          judge(verdict, pairs.get(i), exact.get(i), actual);
        }
      }
    }
    return verdict;
  }

  private void judge(Judgement verdict, Pair pair, AttentionOracle exact, float[] actual) {
    for (int d = 0; d < c.headDim(); d++) {
      int col = pair.head * c.headDim() + d;
      float value = actual[pair.row * AttentionData.columns(c) + col];
      verdict.close("y", pair.row, col, exact.y()[d], value, exact.bounds()[d]);
    }
  }

  /// A row and a head of it.
  private record Pair(int row, int head) {}

  /// What is judged of a KV head's group: all of it; where that takes too long, the ends of it and
  /// what is drawn.
  private List<Pair> pairs(int kvHead) {
    int first = kvHead * c.group();
    int all = Math.multiplyExact(c.rows(), c.group());
    long products = (long) c.kvHeads() * c.positions() * (c.headDim() + EXP_PRODUCTS);
    int most = (int) Math.max(LEAST_PAIRS, MOST_PRODUCTS / products);
    if (all <= most) {
      return IntStream.range(0, all)
          .mapToObj(i -> new Pair(i / c.group(), first + i % c.group()))
          .toList();
    }
    Mix mix = new Mix(c.seed(), "judged " + kvHead);
    Set<Pair> pairs = new LinkedHashSet<>();
    for (int row : new int[] {0, c.rows() - 1}) {
      pairs.add(new Pair(row, first));
      pairs.add(new Pair(row, first + c.group() - 1));
    }
    while (pairs.size() < most) {
      pairs.add(new Pair(mix.below(c.rows()), first + mix.below(c.group())));
    }
    return List.copyOf(pairs);
  }

  private Judgement appended(byte[] result) {
    Judgement verdict = new Judgement();
    ByteBuffer actual = ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] from : List.of(data.q(), data.v())) {
      String name = from == data.q() ? "keys" : "values";
      for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
        for (int r = 0; r < c.rows(); r++) {
          for (int d = 0; d < c.headDim(); d++) {
            float value = from[r * AttentionData.columns(c) + kvHead * c.headDim() + d];
            stored(verdict, name, kvHead, c.firstPosition() + r, d, value, actual);
          }
        }
      }
    }
    return verdict;
  }

  /// One element, exactly; subnormals may be zero (rule P20), any NaN is any NaN.
  private void stored(
      Judgement verdict, String name, int kvHead, int t, int d, float value, ByteBuffer actual) {
    boolean f16 = c.kv().equals("F16");
    float found = f16 ? (float) Half.f16(actual.getShort()) : actual.getFloat();
    float expected = f16 ? (float) Half.f16(Half.toF16(value)) : value;
    boolean subnormal = value != 0 && Math.abs(value) < (f16 ? 0x1p-14f : Float.MIN_NORMAL);
    boolean flushed = found == 0 && subnormal;
    if (!flushed && Float.floatToIntBits(expected) != Float.floatToIntBits(found)) {
      String where = String.format(Locale.ROOT, "%s[head %d][position %d]", name, kvHead, t);
      verdict.same(where, d, expected, found);
    }
  }
}
