package dev.quern.arm;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import com.sun.management.ThreadMXBean;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
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
import dev.quern.provider.vector.VectorProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/// Calls the vector provider's operators one after the other, for `count-instructions`, which
/// counts what runs between two marks: `java ... dev.quern.arm.OperatorCalls MARKS [WORD]`. Each
/// operator is called until nothing is compiled any more, then [#CALLS] times between the lines
/// `Mark begin CALLS WORK NAME` and `Mark end` in the file MARKS, which may be a pipe. WORK is what
/// a call has to do: multiply-adds of attention, elements of the others.
public final class OperatorCalls {
  private static final int CALLS = 2;

  /// Calls without a compilation after which none is expected.
  private static final int QUIET = 12;

  /// More than what marks, tasks and lambdas take.
  private static final long LEAST_BOXING = 16_384;

  private static final CompilationMXBean COMPILER = ManagementFactory.getCompilationMXBean();

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);

  private final KernelSet kernels = new VectorProvider();
  private final Random random = new Random(1);
  private final Arena arena;
  private final OutputStream marks;
  private final String word;

  private OperatorCalls(Arena arena, OutputStream marks, String word) {
    this.arena = arena;
    this.marks = marks;
    this.word = word;
  }

  public static void main(String[] args) throws IOException {
    try (Arena arena = Arena.ofConfined();
        OutputStream marks = new FileOutputStream(args[0], true)) {
      new OperatorCalls(arena, marks, args.length > 1 ? args[1] : "").all();
    }
  }

  private void all() throws IOException {
    profile();
    rmsNorm();
    rope(RopePairing.ADJACENT);
    rope(RopePairing.HALF_SPLIT);
    swiGlu();
    for (KvFormat kv : new KvFormat[] {KvFormat.F16, KvFormat.F32}) {
      attention(kv, 64, 1, 512);
      attention(kv, 64, 1, 2048);
      attention(kv, 128, 1, 512);
      attention(kv, 64, 64, 128);
    }
  }

  /// Leaves the JVM's profiles of loads and stores as other kernels of a model do, whose
  /// reinterpretations go through arrays until they are compiled.
  private void profile() {
    MemorySegment s = arena.allocate(64, 64);
    for (int i = 0; i < 1000; i++) {
      FloatVector.fromMemorySegment(FLOATS, s, 0, LITTLE_ENDIAN)
          .reinterpretAsInts()
          .intoMemorySegment(s, 0, LITTLE_ENDIAN);
      IntVector.fromMemorySegment(INTS, s, 0, LITTLE_ENDIAN)
          .reinterpretAsFloats()
          .intoMemorySegment(s, 0, LITTLE_ENDIAN);
    }
  }

  /// The last `rows` of so many positions: four query heads on one KV head, as models of 1B have
  /// eight times, each by itself.
  private void attention(KvFormat kv, int headDim, int rows, int positions) throws IOException {
    AttentionSpec spec = new AttentionSpec(4, 1, headDim, positions, 0.125f, kv);
    AttentionKernel kernel = of(kernels.attention(spec));
    long plane = KvCache.planeBytes(kv, 1, headDim, positions);
    KvCache cache =
        new KvCache(arena.allocate(plane, 64), arena.allocate(plane, 64), kv, positions);
    Workspace workspace = workspace(kernel.scratchBytes(positions, 1));
    kernel.append(gaussian(positions, headDim), gaussian(positions, headDim), cache, 0, workspace);
    F32Matrix q = gaussian(rows, 4 * headDim);
    F32Matrix y = F32Matrix.allocate(arena, rows, 4 * headDim);
    long seen = 0;
    for (int r = 0; r < rows; r++) {
      seen += positions - rows + r + 1;
    }
    String name =
        String.format(
            Locale.ROOT, "attention %s, heads of %d, %d of %d", kv, headDim, rows, positions);
    count(
        name, 2 * seen * 4 * headDim, () -> kernel.apply(q, cache, positions - rows, y, workspace));
  }

  private void rmsNorm() throws IOException {
    RmsNormKernel kernel = of(kernels.rmsNorm(RmsNormSpec.of(2048, 1e-5f)));
    F32Matrix x = gaussian(1, 2048);
    F32Matrix weight = gaussian(1, 2048);
    F32Matrix y = F32Matrix.allocate(arena, 1, 2048);
    Workspace workspace = workspace(kernel.scratchBytes(1, 1));
    count("RMSNorm, 2048", 2048, () -> kernel.apply(x, weight, y, workspace));
  }

  private void rope(RopePairing pairing) throws IOException {
    RopeKernel kernel = of(kernels.rope(new RopeSpec(32, 64, pairing)));
    F32Matrix x = gaussian(1, 32 * 64);
    F32Matrix table = F32Matrix.allocate(arena, 1, 64);
    for (int i = 0; i < 32; i++) {
      table.set(0, i, (float) Math.cos(i));
      table.set(0, 32 + i, (float) Math.sin(i));
    }
    Workspace workspace = workspace(kernel.scratchBytes(1, 1));
    String name = "RoPE, 32 heads of 64, " + pairing.name().toLowerCase(Locale.ROOT);
    count(name, 32 * 64, () -> kernel.apply(x, table, 0, workspace));
  }

  private void swiGlu() throws IOException {
    SwiGluKernel kernel = of(kernels.swiGlu(SwiGluSpec.of(8192)));
    F32Matrix gate = gaussian(1, 8192);
    F32Matrix up = gaussian(1, 8192);
    F32Matrix y = F32Matrix.allocate(arena, 1, 8192);
    Workspace workspace = workspace(kernel.scratchBytes(1, 1));
    count("SwiGLU, 8192", 8192, () -> kernel.apply(gate, up, y, workspace));
  }

  private void count(String name, long work, Runnable call) throws IOException {
    if (!name.contains(word)) {
      return;
    }
    long compiled;
    do {
      compiled = COMPILER.getTotalCompilationTime();
      for (int i = 0; i < QUIET; i++) {
        call.run();
      }
    } while (COMPILER.getTotalCompilationTime() != compiled);
    mark(String.format(Locale.ROOT, "Mark begin %d %d %s", CALLS, work, name));
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      call.run();
    }
    mark("Mark end");
    long allocated = (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS;
    if (allocated > LEAST_BOXING) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "%s: %d bytes allocated a call: vectors are boxed, in code that is not counted",
              name,
              allocated));
    }
  }

  /// A line by itself: the emulator writes lines into the same pipe.
  private void mark(String line) throws IOException {
    marks.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    marks.flush();
  }

  private static <K> K of(Offer<K> offer) {
    return ((Offer.Accepted<K>) offer).kernel();
  }

  private F32Matrix gaussian(int rows, int columns) {
    F32Matrix m = F32Matrix.allocate(arena, rows, columns);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        m.set(r, c, (float) random.nextGaussian());
      }
    }
    return m;
  }

  private Workspace workspace(long bytes) {
    return new Workspace(
        arena.allocate(Math.max(1, bytes), Workspace.SCRATCH_ALIGNMENT), Workers.sequential());
  }
}
