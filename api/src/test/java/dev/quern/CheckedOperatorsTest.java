package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.checked.CheckedAttention;
import dev.quern.checked.CheckedRmsNorm;
import dev.quern.checked.CheckedRope;
import dev.quern.checked.CheckedSwiGlu;
import dev.quern.checked.Site;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The checks of attention, RMSNorm, RoPE and SwiGLU. What all operators share is in
/// [CheckedLinearTest].
class CheckedOperatorsTest {
  private static final int WIDTH = 16;

  /// 4 query heads, 2 KV heads of 8 elements, 12 positions.
  private static final AttentionSpec ATTENTION = new AttentionSpec(4, 2, 8, 12, 0.5f, KvFormat.F16);

  /// Of kernels that are checked here and were chosen nowhere.
  private static final Site SITE =
      new Site(
          "op",
          "spec",
          "scalar",
          List.of(Fakes.Scalar.VARIANT),
          new AtomicBoolean(),
          ProviderException::new);

  @TempDir Path folder;

  private final Arena arena = Arena.ofAuto();
  private final Workspace w = new Workspace(MemorySegment.NULL, Workers.sequential());
  private final KvCache cache = cache(10, KvFormat.F16);
  private final F32Matrix q = matrix(3, 32);
  private final F32Matrix y = matrix(3, 32);
  private final F32Matrix k = matrix(3, 16);
  private final F32Matrix v = matrix(3, 16);
  private final F32Matrix a = matrix(3, WIDTH);
  private final F32Matrix b = matrix(3, WIDTH);
  private final F32Matrix c = matrix(3, WIDTH);
  private final F32Matrix weight = matrix(1, WIDTH);
  private final F32Matrix table = matrix(12, 8);

  private AttentionKernel attention;
  private RmsNormKernel rmsNorm;
  private RmsNormKernel heads;
  private RopeKernel rope;
  private SwiGluKernel swiGlu;

  @BeforeEach
  void load() throws IOException {
    Kernels kernels = Kernels.load(Fakes.options(folder, Fakes.Scalar.class));
    attention = kernels.attention(ATTENTION);
    rmsNorm = kernels.rmsNorm(RmsNormSpec.of(WIDTH, 1e-5f));
    heads = kernels.rmsNorm(RmsNormSpec.of(WIDTH, 1e-5f).withGroups(4));
    rope = kernels.rope(new RopeSpec(2, 8, RopePairing.HALF_SPLIT));
    swiGlu = kernels.swiGlu(SwiGluSpec.of(WIDTH));
  }

  @Test
  void attentionShapes() {
    attention.append(k, v, cache, 7, w);
    attention.apply(q, cache, 7, y, w);
    fails(
        "attention: k.columns=8, expected kvHeads*headDim=16",
        () -> attention.append(matrix(3, 8), v, cache, 0, w));
    fails("attention: v.rows=2, expected 3", () -> attention.append(k, matrix(2, 16), cache, 0, w));
    fails(
        "attention: q.columns=16, expected heads*headDim=32",
        () -> attention.apply(k, cache, 0, y, w));
    fails("attention: y.rows=2, expected 3", () -> attention.apply(q, cache, 0, matrix(2, 32), w));
    fails("attention: cache is null", () -> attention.apply(q, null, 0, y, w));
    fails("attention: v is null", () -> attention.append(k, null, cache, 0, w));
  }

  @Test
  void attentionOfSeveralSequences() throws IOException {
    AttentionKernel two =
        Kernels.load(Fakes.options(folder, Fakes.Scalar.class))
            .attention(ATTENTION.withSequences(2));
    KvCache other = cache(12, KvFormat.F16);
    List<SequenceRows> batch =
        List.of(new SequenceRows(2, cache, 8), new SequenceRows(1, other, 0));
    two.append(k, v, batch, w);
    two.apply(q, batch, y, w);
    List<SequenceRows> shared =
        List.of(new SequenceRows(2, cache, 8), new SequenceRows(1, cache, 0));
    two.apply(q, shared, y, w);
    fails(
        "attention: the cache of batch[1] overlaps that of batch[0], expected no memory in common",
        () -> two.append(k, v, shared, w));
    fails(
        "attention: batch.size=2, expected 1 to sequences=1",
        () -> attention.apply(q, batch, y, w));
    fails(
        "attention: batch.size=0, expected 1 to sequences=2", () -> two.apply(q, List.of(), y, w));
    fails(
        "attention: the rows of batch add up to 2, expected q.rows=3",
        () -> two.apply(q, batch.subList(0, 1), y, w));
    fails("attention: batch is null", () -> two.append(k, v, null, w));
    fails(
        "attention: batch[1] is null",
        () -> two.apply(q, Arrays.asList(batch.getFirst(), null), y, w));
    fails(
        "attention: firstPosition=9 with rows=2 ends at 11, expected at most cache.capacity=10",
        () -> two.append(k, v, List.of(new SequenceRows(2, cache, 9), batch.get(1)), w));
    fails(
        "attention: cache.format=F32, expected kv=F16",
        () ->
            two.apply(
                q, List.of(batch.get(0), new SequenceRows(1, cache(9, KvFormat.F32), 0)), y, w));
  }

  @Test
  void attentionPositions() {
    fails(
        "attention: position=8 with rows=3 ends at 11, expected at most cache.capacity=10",
        () -> attention.append(k, v, cache, 8, w));
    fails(
        "attention: firstPosition=8 with rows=3 ends at 11, expected at most",
        () -> attention.apply(q, cache, 8, y, w));
    fails(
        "attention: firstPosition=2147483647 with rows=3 ends at 2147483650",
        () -> attention.apply(q, cache, Integer.MAX_VALUE, y, w));
    fails("attention: position=-1, expected >= 0", () -> attention.append(k, v, cache, -1, w));
  }

  @Test
  void attentionCache() {
    fails(
        "attention: cache.format=F32, expected kv=F16",
        () -> attention.apply(q, cache(10, KvFormat.F32), 0, y, w));
    fails(
        "attention: cache.capacity=13, expected at most maxPositions=12",
        () -> attention.apply(q, cache(13, KvFormat.F16), 0, y, w));
    MemorySegment plane = cache.keys();
    fails(
        "attention: cache.keys holds 316 bytes, expected 320 = kvHeads*capacity*headDim elements",
        () -> attention.apply(q, planes(plane.asSlice(0, 316), cache.values()), 0, y, w));
    fails(
        "attention: cache.values holds 324 bytes, expected 320",
        () -> attention.apply(q, planes(plane, arena.allocate(324, 4)), 0, y, w));
    fails(
        "attention: cache.keys overlaps cache.values",
        () -> attention.append(k, v, planes(plane, plane), 0, w));
    fails(
        "attention: cache.keys is read-only",
        () -> attention.append(k, v, planes(plane.asReadOnly(), cache.values()), 0, w));
    fails(
        "attention: cache.values is read-only",
        () -> attention.append(k, v, planes(plane, cache.values().asReadOnly()), 0, w));
    attention.apply(q, planes(plane.asReadOnly(), cache.values().asReadOnly()), 0, y, w);
    Arena shared = Arena.ofShared();
    KvCache closed = planes(plane, shared.allocate(320, 4));
    shared.close();
    fails(
        "attention: cache.values is in a closed arena", () -> attention.apply(q, closed, 0, y, w));
  }

  @Test
  void attentionAliasing() {
    F32Matrix qkv = matrix(3, 64);
    attention.append(qkv.columnRange(32, 48), qkv.columnRange(48, 64), cache, 0, w);
    fails("attention: k overlaps v", () -> attention.append(k, k, cache, 0, w));
    fails("attention: y overlaps q", () -> attention.apply(q, cache, 0, q, w));
    F32Matrix inKeys = new F32Matrix(cache.keys(), 1, 32);
    F32Matrix inValues = new F32Matrix(cache.values(), 1, 32);
    F32Matrix q1 = q.firstRows(1);
    fails("attention: y overlaps cache.keys", () -> attention.apply(q1, cache, 0, inKeys, w));
    fails(
        "attention: q overlaps cache.values",
        () -> attention.apply(inValues, cache, 0, y.firstRows(1), w));
    fails(
        "attention: v overlaps cache.keys",
        () -> attention.append(k.firstRows(1), inKeys.columnRange(0, 16), cache, 0, w));
  }

  @Test
  void rmsNormShapesAndAliasing() {
    rmsNorm.apply(a, weight, b, w);
    rmsNorm.apply(a, weight, a, w);
    fails(
        "rmsnorm: x.columns=8, expected width=16", () -> rmsNorm.apply(matrix(3, 8), weight, b, w));
    fails("rmsnorm: weight.rows=3, expected 1", () -> rmsNorm.apply(a, c, b, w));
    fails(
        "rmsnorm: weight.columns=8, expected width=16", () -> rmsNorm.apply(a, matrix(1, 8), b, w));
    heads.apply(a, matrix(1, 4), b, w);
    fails(
        "rmsnorm: weight.columns=16, expected width/groups=4", () -> heads.apply(a, weight, b, w));
    fails("rmsnorm: x.columns=8, expected width=16", () -> heads.apply(matrix(3, 8), weight, b, w));
    fails("rmsnorm: y.rows=2, expected 3", () -> rmsNorm.apply(a, weight, matrix(2, WIDTH), w));
    fails("rmsnorm: y overlaps weight", () -> rmsNorm.apply(a.firstRows(1), weight, weight, w));
    F32Matrix wide = matrix(4, WIDTH);
    fails(
        "rmsnorm: y overlaps x, expected exactly x or no memory in common",
        () -> rmsNorm.apply(wide.rowRange(0, 3), weight, wide.rowRange(1, 4), w));
    F32Matrix strided = matrix(3, 20);
    rmsNorm.apply(strided.columnRange(0, 16), weight, strided.columnRange(0, 16), w);
    fails(
        "rmsnorm: y overlaps x",
        () -> rmsNorm.apply(strided.columnRange(0, 16), weight, strided.columnRange(4, 20), w));
  }

  @Test
  void ropeShapesAndPositions() {
    rope.apply(a, table, 9, w);
    fails(
        "rope: x.columns=8, expected heads*headDim=16",
        () -> rope.apply(matrix(3, 8), table, 0, w));
    fails("rope: table.columns=16, expected headDim=8", () -> rope.apply(a, b, 0, w));
    fails(
        "rope: firstPosition=10 with rows=3 ends at 13, expected at most table.rows=12",
        () -> rope.apply(a, table, 10, w));
    fails("rope: firstPosition=-3, expected >= 0", () -> rope.apply(a, table, -3, w));
    fails("rope: table is null", () -> rope.apply(a, null, 0, w));
    fails(
        "rope: x is read-only",
        () -> rope.apply(new F32Matrix(a.data().asReadOnly(), 3, WIDTH), table, 0, w));
    F32Matrix overlapping = new F32Matrix(a.data(), 6, 8);
    fails("rope: x overlaps table", () -> rope.apply(a, overlapping, 0, w));
  }

  @Test
  void swiGluShapesAndAliasing() {
    swiGlu.apply(a, b, c, w);
    swiGlu.apply(a, b, a, w);
    swiGlu.apply(a, b, b, w);
    swiGlu.apply(a, a, a, w);
    fails("swiglu: up.columns=8, expected width=16", () -> swiGlu.apply(a, matrix(3, 8), c, w));
    fails("swiglu: up.rows=2, expected 3", () -> swiGlu.apply(a, matrix(2, WIDTH), c, w));
    fails("swiglu: gate is null", () -> swiGlu.apply(null, b, c, w));
    F32Matrix wide = matrix(4, WIDTH);
    fails(
        "swiglu: y overlaps gate, expected exactly gate or no memory in common",
        () -> swiGlu.apply(wide.rowRange(0, 3), b, wide.rowRange(1, 4), w));
    fails(
        "swiglu: y overlaps up, expected exactly up",
        () -> swiGlu.apply(a, wide.rowRange(0, 3), wide.rowRange(1, 4), w));
    F32Matrix gateUp = matrix(3, 32);
    swiGlu.apply(
        gateUp.columnRange(0, 16), gateUp.columnRange(16, 32), gateUp.columnRange(0, 16), w);
    fails(
        "swiglu: y overlaps gate",
        () ->
            swiGlu.apply(
                gateUp.columnRange(0, 16),
                gateUp.columnRange(16, 32),
                gateUp.columnRange(8, 24),
                w));
  }

  @Test
  void scratchIsNobodysOperand() {
    Fakes.NoOp wantsScratch = new Fakes.NoOp(64, false);
    AttentionKernel checked = new CheckedAttention(wantsScratch, ATTENTION, SITE);
    fails("op: q overlaps scratch", () -> checked.apply(q, cache, 0, y, with(q)));
    fails("op: y overlaps scratch", () -> checked.apply(q, cache, 0, y, with(y)));
    fails("op: k overlaps scratch", () -> checked.append(k, v, cache, 0, with(k)));
    fails("op: v overlaps scratch", () -> checked.append(k, v, cache, 0, with(v)));
    RmsNormKernel norm =
        new CheckedRmsNorm(
            new RmsNormKernel() {
              @Override
              public long scratchBytes(int rows, int parallelism) {
                return 64;
              }

              @Override
              public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {}
            },
            RmsNormSpec.of(WIDTH, 0),
            SITE);
    fails("op: x overlaps scratch", () -> norm.apply(a, weight, b, with(a)));
    fails("op: weight overlaps scratch", () -> norm.apply(a, weight, b, with(weight)));
    fails("op: y overlaps scratch", () -> norm.apply(a, weight, b, with(b)));
    RopeKernel rotate =
        new CheckedRope(
            new RopeKernel() {
              @Override
              public long scratchBytes(int rows, int parallelism) {
                return 64;
              }

              @Override
              public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {}
            },
            new RopeSpec(2, 8, RopePairing.ADJACENT),
            SITE);
    fails("op: x overlaps scratch", () -> rotate.apply(a, table, 0, with(a)));
    fails("op: table overlaps scratch", () -> rotate.apply(a, table, 0, with(table)));
    SwiGluKernel gated =
        new CheckedSwiGlu(
            new SwiGluKernel() {
              @Override
              public long scratchBytes(int rows, int parallelism) {
                return 64;
              }

              @Override
              public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {}
            },
            SwiGluSpec.of(WIDTH),
            SITE);
    fails("op: gate overlaps scratch", () -> gated.apply(a, b, c, with(a)));
    fails("op: up overlaps scratch", () -> gated.apply(a, b, c, with(b)));
    fails("op: y overlaps scratch", () -> gated.apply(a, b, c, with(c)));
  }

  /// The caches' memory is no scratch either.
  @Test
  void scratchIsNoCache() {
    AttentionKernel checked = new CheckedAttention(new Fakes.NoOp(64, false), ATTENTION, SITE);
    Workspace inKeys = new Workspace(cache.keys(), Workers.sequential());
    Workspace inValues = new Workspace(cache.values(), Workers.sequential());
    fails("op: cache.keys overlaps scratch", () -> checked.apply(q, cache, 0, y, inKeys));
    fails("op: cache.values overlaps scratch", () -> checked.append(k, v, cache, 0, inValues));
  }

  private static Workspace with(F32Matrix scratch) {
    return new Workspace(scratch.data(), Workers.sequential());
  }

  @Test
  void checksAllocateNothing() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE; // the JVM's own may come between
    for (int round = 0; round < 1000; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      attention.append(k, v, cache, 0, w);
      attention.apply(q, cache, 0, y, w);
      rmsNorm.apply(a, weight, a, w);
      rope.apply(a, table, 0, w);
      swiGlu.apply(a, b, a, w);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(0, least, "bytes a round");
  }

  private F32Matrix matrix(int rows, int columns) {
    return F32Matrix.allocate(arena, rows, columns);
  }

  private KvCache cache(int capacity, KvFormat format) {
    long bytes = KvCache.planeBytes(format, 2, 8, capacity);
    return new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), format, capacity);
  }

  private static KvCache planes(MemorySegment keys, MemorySegment values) {
    return new KvCache(keys, values, KvFormat.F16, 10);
  }

  private static void fails(String message, Runnable call) {
    String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(actual.startsWith(message), actual);
    assertTrue(
        actual.endsWith("provider scalar/plain)") || actual.endsWith("provider scalar)"), actual);
    assertEquals(1, actual.lines().count(), actual);
  }
}
