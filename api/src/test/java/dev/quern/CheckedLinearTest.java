package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Fakes.NoOp;
import dev.quern.checked.CheckedLinear;
import dev.quern.checked.Site;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Task;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class CheckedLinearTest {
  private static final int INPUTS = 64;
  private static final int OUTPUTS = 48;
  private static final LinearSpec SPEC =
      new LinearSpec(BlockFormat.Q4_0, OUTPUTS, INPUTS, false, Set.of(Numerics.INT8_SYM_32));
  private static final Site SITE =
      new Site(
          "linear",
          SPEC.toString(),
          "kleidi",
          List.of(
              new Variant("neon_dotprod", 1, Numerics.INT8_SYM_32),
              new Variant("neon_i8mm", 4, Numerics.INT8_SYM_32)),
          new AtomicBoolean(),
          ProviderException::new);
  private static final String WHO =
      " (spec LinearSpec[Q4_0, outputs=48, inputs=64, int8-sym-32], provider kleidi";

  private final Arena arena = Arena.ofAuto();
  private final LinearKernel kernel = checked(new NoOp(64, false));
  private final F32Matrix x = matrix(5, INPUTS);
  private final F32Matrix y = matrix(5, OUTPUTS);
  private final Workspace workspace =
      new Workspace(arena.allocate(5 * 64, 64), Workers.sequential());

  @Test
  void aRightCallReachesTheProvider() {
    List<Object> seen = new ArrayList<>();
    LinearKernel recording =
        checked(
            new LinearKernel() {
              @Override
              public boolean retainsSource() {
                return true;
              }

              @Override
              public long scratchBytes(int rows, int parallelism) {
                return 10L * rows + parallelism;
              }

              @Override
              public void apply(F32Matrix x, F32Matrix y, Workspace w) {
                seen.addAll(List.of(x, y, w));
              }
            });
    recording.apply(x, y, workspace);
    assertEquals(List.of(x, y, workspace), seen);
    assertTrue(recording.retainsSource());
    assertEquals(23, recording.scratchBytes(2, 3));
  }

  @Test
  void messagesNameOperatorActualExpectedAndWho() {
    assertEquals(
        "linear: x.columns=63, expected inputs=64" + WHO + "/neon_i8mm)",
        failure(() -> kernel.apply(matrix(5, 63), y, workspace)));
    assertEquals(
        "linear: x.columns=63, expected inputs=64" + WHO + "/neon_dotprod)",
        failure(() -> kernel.apply(matrix(3, 63), y, workspace)));
  }

  @Test
  void shapes() {
    fails("y.columns=47, expected outputs=48", () -> kernel.apply(x, matrix(5, 47), workspace));
    fails("y.rows=4, expected 5", () -> kernel.apply(x, matrix(4, OUTPUTS), workspace));
    fails("x is null", () -> kernel.apply(null, y, workspace));
    fails("y is null", () -> kernel.apply(x, null, workspace));
    fails("workspace is null", () -> kernel.apply(x, y, null));
  }

  @Test
  void scratch() {
    fails(
        "scratch holds 319 bytes, expected at least 320: allocate scratchBytes(5, 1) bytes",
        () -> kernel.apply(x, y, with(workspace.scratch().asSlice(0, 319))));
    fails("scratch is on the Java heap", () -> kernel.apply(x, y, with(heap(320))));
    fails(
        "expected a multiple of 64: allocate(bytes, 64)",
        () -> kernel.apply(x, y, with(arena.allocate(400, 64).asSlice(4))));
    fails("scratch is read-only", () -> kernel.apply(x, y, with(workspace.scratch().asReadOnly())));
    fails(
        "expected at least 640: allocate scratchBytes(5, 2)",
        () -> kernel.apply(x, y, new Workspace(workspace.scratch(), workers(2))));
    fails(
        "workers.parallelism=0, expected >= 1",
        () -> kernel.apply(x, y, new Workspace(workspace.scratch(), workers(0))));
    checked(new NoOp(0, false)).apply(x, y, with(MemorySegment.NULL));
    fails("rows=0, parallelism=1), expected both >= 1", () -> kernel.scratchBytes(0, 1));
    String defect =
        assertThrows(
                ProviderException.class, () -> checked(new NoOp(-1, false)).apply(x, y, workspace))
            .getMessage();
    assertTrue(defect.contains("scratchBytes is -5, expected >= 0 (P10)"), defect);
  }

  @Test
  void closedAndConfinedMemory() {
    try (Arena confined = Arena.ofConfined()) {
      String message = " is in a confined arena, expected memory that worker threads may touch";
      F32Matrix cx = F32Matrix.allocate(confined, 5, INPUTS);
      F32Matrix cy = F32Matrix.allocate(confined, 5, OUTPUTS);
      fails("x" + message, () -> kernel.apply(cx, y, workspace));
      fails("y" + message, () -> kernel.apply(x, cy, workspace));
      fails("scratch" + message, () -> kernel.apply(x, y, with(confined.allocate(320, 64))));
    }
    Arena shared = Arena.ofShared();
    F32Matrix sx = F32Matrix.allocate(shared, 5, INPUTS);
    F32Matrix sy = F32Matrix.allocate(shared, 5, OUTPUTS);
    MemorySegment scratch = shared.allocate(320, 64);
    kernel.apply(sx, sy, with(scratch));
    shared.close();
    fails("x is in a closed arena", () -> kernel.apply(sx, y, workspace));
    fails("y is in a closed arena", () -> kernel.apply(x, sy, workspace));
    fails("scratch is in a closed arena", () -> kernel.apply(x, y, with(scratch)));
  }

  @Test
  void readOnlyInputsAreFineAndReadOnlyOutputsAreNot() {
    kernel.apply(readOnly(x), y, workspace);
    fails("y is read-only memory", () -> kernel.apply(x, readOnly(y), workspace));
  }

  @Test
  void aliasing() {
    F32Matrix wide = matrix(5, INPUTS + OUTPUTS);
    kernel.apply(
        wide.columnRange(0, INPUTS), wide.columnRange(INPUTS, INPUTS + OUTPUTS), workspace);
    kernel.apply(
        wide.columnRange(OUTPUTS, OUTPUTS + INPUTS), wide.columnRange(0, OUTPUTS), workspace);
    fails(
        "y overlaps x, expected no memory in common",
        () ->
            kernel.apply(
                wide.columnRange(0, INPUTS), wide.columnRange(63, 63 + OUTPUTS), workspace));
    fails("y overlaps x", () -> kernel.apply(x, new F32Matrix(x.data(), 5, OUTPUTS), workspace));
    F32Matrix inScratch = new F32Matrix(workspace.scratch(), 1, OUTPUTS);
    fails("y overlaps scratch", () -> kernel.apply(x.firstRows(1), inScratch, workspace));
    F32Matrix xInScratch = new F32Matrix(workspace.scratch(), 1, INPUTS);
    fails("x overlaps scratch", () -> kernel.apply(xInScratch, y.firstRows(1), workspace));
    // One row needs 64 bytes: what lies behind them is not scratch of this call.
    F32Matrix behind = new F32Matrix(workspace.scratch().asSlice(64), 1, OUTPUTS);
    kernel.apply(x.firstRows(1), behind, workspace);
  }

  @Test
  void packedMatricesFitTheSpec() {
    LinearPacker packer =
        packer((stacked, packed, _) -> {
          assertEquals(2, stacked.size());
          packed.allocate(100, 64);
          return new NoOp(0, false);
        });
    pack(packer, weights(32), weights(16));
    fails(
        "the 1 stacked matrices have 32 outputs together, expected outputs=48",
        () -> pack(packer, weights(32)));
    fails("the 0 stacked matrices have 0 outputs together", () -> pack(packer));
    fails("stacked[1] is null", () -> pack(packer, weights(32), null));
    fails(
        "stacked[0].format=Q8_0, expected weights=Q4_0",
        () -> pack(packer, new WeightMatrix(BlockFormat.Q8_0, arena.allocate(48 * 68), 48, 64)));
    fails(
        "stacked[0].inputs=32, expected inputs=64",
        () -> pack(packer, new WeightMatrix(BlockFormat.Q4_0, arena.allocate(48 * 18), 48, 32)));
    fails(
        "stacked[0].data is on the Java heap",
        () -> pack(packer, new WeightMatrix(BlockFormat.Q4_0, heap(48 * 36), 48, 64)));
    fails("stacked is null", () -> packer.pack(null, arena, Workers.sequential()));
    fails("packed is null", () -> packer.pack(List.of(weights(48)), null, Workers.sequential()));
    fails("workers is null", () -> packer.pack(List.of(weights(48)), arena, null));
    fails("workers.parallelism=0", () -> packer.pack(List.of(weights(48)), arena, workers(0)));
  }

  @Test
  void aBiasFitsTheSpec() {
    LinearSpec spec = SPEC.withBias(true);
    List<MemorySegment> seen = new ArrayList<>();
    LinearPacker taking =
        new LinearPacker() {
          @Override
          public LinearKernel pack(
              List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
            throw new AssertionError("packed without a bias");
          }

          @Override
          public LinearKernel pack(
              List<WeightMatrix> stacked,
              MemorySegment bias,
              SegmentAllocator packed,
              Workers workers) {
            seen.add(bias);
            return new NoOp(0, false);
          }
        };
    LinearPacker packer = new CheckedLinear.Packer(taking, spec, SITE);
    MemorySegment bias = arena.allocate(4 * OUTPUTS, 4);
    pack(packer, bias);
    assertEquals(List.of(bias), seen);
    fails("pack without a bias, expected one", () -> pack(packer, weights(48)));
    LinearPacker without = packer((_, _, _) -> new NoOp(0, false));
    fails("pack with a bias, expected none", () -> pack(without, bias));
    fails("bias is null", () -> pack(packer, (MemorySegment) null));
    fails(
        "bias holds 188 bytes, expected 192: an F32 number for each of outputs=48",
        () -> pack(packer, bias.asSlice(4)));
    fails("bias is on the Java heap", () -> pack(packer, heap(4 * OUTPUTS)));
    MemorySegment odd = arena.allocate(4 * OUTPUTS + 1, 4).asSlice(1);
    fails("expected a multiple of 4", () -> pack(packer, odd));
    Arena shared = Arena.ofShared();
    MemorySegment closed = shared.allocate(4 * OUTPUTS, 4);
    shared.close();
    fails("bias is in a closed arena", () -> pack(packer, closed));
    try (Arena confined = Arena.ofConfined()) {
      MemorySegment mine = confined.allocate(4 * OUTPUTS, 4);
      fails("bias is in a confined arena", () -> pack(packer, mine));
    }
    assertEquals(1, seen.size());
  }

  /// A provider that was compiled before there was a bias.
  @Test
  void aPackerThatTakesNoBiasIsBlamed() {
    LinearPacker packer =
        new CheckedLinear.Packer((_, _, _) -> new NoOp(0, false), SPEC.withBias(true), SITE);
    var e =
        assertThrows(ProviderException.class, () -> pack(packer, arena.allocate(4 * OUTPUTS, 4)));
    assertTrue(e.getMessage().contains("the packer takes no bias" + WHO), e.getMessage());
  }

  @Test
  void packedMatricesAreReachable() {
    LinearPacker packer = packer((_, _, _) -> new NoOp(0, false));
    Arena shared = Arena.ofShared();
    WeightMatrix closed =
        new WeightMatrix(BlockFormat.Q4_0, shared.allocate(48 * 36), OUTPUTS, INPUTS);
    shared.close();
    fails("stacked[0].data is in a closed arena", () -> pack(packer, closed));
    try (Arena confined = Arena.ofConfined()) {
      WeightMatrix mine =
          new WeightMatrix(BlockFormat.Q4_0, confined.allocate(48 * 36), OUTPUTS, INPUTS);
      fails("stacked[0].data is in a confined arena", () -> pack(packer, mine));
      LinearPacker allocating =
          packer((_, packed, _) -> {
            packed.allocate(64);
            return new NoOp(0, false);
          });
      fails(
          "memory for packed weights is in a confined arena",
          () -> allocating.pack(List.of(weights(48)), confined, Workers.sequential()));
    }
  }

  @Test
  void aPackerThatThrowsIsBlamed() {
    LinearPacker packer =
        packer((_, _, _) -> {
          throw new IllegalStateException("can't pack");
        });
    var e = assertThrows(ProviderException.class, () -> pack(packer, weights(48)));
    assertTrue(
        e.getMessage()
            .startsWith("linear: pack threw java.lang.IllegalStateException: can't pack" + WHO),
        e.getMessage());
    LinearPacker unlinked =
        packer((_, _, _) -> {
          throw new AbstractMethodError("apply");
        });
    assertThrows(ProviderException.class, () -> pack(unlinked, weights(48)));
  }

  @Test
  void anAllocatorThatFailsIsTheCallers() {
    LinearPacker packer =
        packer((_, packed, _) -> {
          packed.allocate(64, 64);
          return new NoOp(0, false);
        });
    SegmentAllocator full =
        new SegmentAllocator() {
          @Override
          public MemorySegment allocate(long bytes, long alignment) {
            throw new UnsupportedOperationException("no more");
          }
        };
    assertThrows(
        UnsupportedOperationException.class,
        () -> packer.pack(List.of(weights(48)), full, Workers.sequential()));
  }

  @Test
  void aPackerThatReturnsNullIsDefective() {
    LinearPacker packer = packer((_, _, _) -> null);
    var e = assertThrows(ProviderException.class, () -> pack(packer, weights(48)));
    assertTrue(e.getMessage().contains("pack returned null, expected a kernel"), e.getMessage());
    assertTrue(e.getMessage().contains("provider kleidi"), e.getMessage());
  }

  @Test
  void weightsThatAreReadOnEveryCallStayAlive() {
    for (boolean retains : new boolean[] {true, false}) {
      LinearPacker packer =
          packer((_, packed, _) -> {
            packed.allocate(64, 64);
            return new NoOp(0, retains);
          });
      Arena source = Arena.ofShared();
      Arena target = Arena.ofShared();
      WeightMatrix w =
          new WeightMatrix(BlockFormat.Q4_0, source.allocate(48 * 36), OUTPUTS, INPUTS);
      LinearKernel packed = packer.pack(List.of(w), target, Workers.sequential());
      packed.apply(x, y, workspace);
      source.close();
      if (retains) {
        fails("the memory of the weights is in a closed", () -> packed.apply(x, y, workspace));
      } else {
        packed.apply(x, y, workspace);
        target.close();
        fails("the memory of the weights is in a closed", () -> packed.apply(x, y, workspace));
      }
    }
  }

  @Test
  void outputsDoNotLieInTheWeights() {
    MemorySegment file = arena.allocate(48 * 36 + 4, 4);
    WeightMatrix w = new WeightMatrix(BlockFormat.Q4_0, file.asSlice(0, 48 * 36), OUTPUTS, INPUTS);
    LinearKernel retaining = pack(packer((_, _, _) -> new NoOp(0, true)), w);
    F32Matrix inside = new F32Matrix(file, 1, OUTPUTS);
    fails(
        "y overlaps the memory of the weights",
        () -> retaining.apply(x.firstRows(1), inside, workspace));
  }

  /// P14 gives a kernel 512 bytes; the checks take none of them.
  @Test
  void checksAllocateNothing() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    LinearKernel packed = pack(packer((_, _, _) -> new NoOp(64, true)), weights(48));
    int calls = 1000;
    packed.apply(x, y, workspace);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < calls; i++) {
      packed.apply(x, y, workspace);
    }
    long perCall = (threads.getCurrentThreadAllocatedBytes() - before) / calls;
    assertEquals(0, perCall, "bytes a call");
  }

  @Test
  void wrappersSayWhatTheyAre() {
    assertEquals(
        "linear kleidi LinearSpec[Q4_0, outputs=48, inputs=64, int8-sym-32]", kernel.toString());
    assertFalse(packer((_, _, _) -> null).toString().contains("Checked"));
  }

  private LinearKernel checked(LinearKernel kernel) {
    return new CheckedLinear(kernel, SPEC, kernel.retainsSource(), List.of(), SITE);
  }

  private static LinearPacker packer(LinearPacker packer) {
    return new CheckedLinear.Packer(packer, SPEC, SITE);
  }

  private LinearKernel pack(LinearPacker packer, WeightMatrix... stacked) {
    SegmentAllocator allocator = arena;
    return packer.pack(Arrays.asList(stacked), allocator, Workers.sequential());
  }

  private LinearKernel pack(LinearPacker packer, MemorySegment bias) {
    return packer.pack(List.of(weights(48)), bias, arena, Workers.sequential());
  }

  private WeightMatrix weights(int outputs) {
    return new WeightMatrix(BlockFormat.Q4_0, arena.allocate(outputs * 36L), outputs, INPUTS);
  }

  private F32Matrix matrix(int rows, int columns) {
    return F32Matrix.allocate(arena, rows, columns);
  }

  private Workspace with(MemorySegment scratch) {
    return new Workspace(scratch, Workers.sequential());
  }

  private static F32Matrix readOnly(F32Matrix m) {
    return new F32Matrix(m.data().asReadOnly(), m.rows(), m.columns());
  }

  private static MemorySegment heap(int bytes) {
    return MemorySegment.ofArray(new byte[bytes]);
  }

  static Workers workers(int parallelism) {
    return new Workers() {
      @Override
      public int parallelism() {
        return parallelism;
      }

      @Override
      public void run(int tasks, Task body) {
        throw new UnsupportedOperationException();
      }
    };
  }

  private static String failure(Runnable call) {
    return assertThrows(IllegalArgumentException.class, call::run).getMessage();
  }

  private static void fails(String message, Runnable call) {
    String actual = failure(call);
    assertTrue(actual.startsWith("linear: "), actual);
    assertTrue(actual.contains(message), actual);
    assertTrue(actual.contains(WHO), actual);
    assertEquals(1, actual.lines().count(), actual);
  }
}
