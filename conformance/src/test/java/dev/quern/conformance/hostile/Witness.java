package dev.quern.conformance.hostile;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.linear.WeightBytes;
import dev.quern.conformance.linear.WeightValues;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Task;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Kernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Calls in which a generated mutant is wrong: as small as can be but for what the fault waits for.
/// All of them are calls that SPEC.md allows, so a mutant of which a witness has seen other bits
/// than the right kernel's is not equivalent to it.
///
/// @param operator whose calls
/// @param format of which
/// @param needed sizes that a call must have
/// @param gapOf the input whose rows are apart, -2 for y, -1 for none
/// @param gap floats between two of its rows
/// @param calls calls of one kernel, with other operands at the same addresses each time
/// @param seed of the operands
record Witness(
    String operator,
    String format,
    Map<Size, Integer> needed,
    int gapOf,
    int gap,
    int calls,
    long seed) {

  /// Columns of y where nothing says how many; some tails are not empty.
  static final int COLUMNS = 67;

  private static final int Y = -2;

  /// A size may have to be a little larger than needed: until a row has a tail, for example.
  private static final int LARGER = 4;

  /// Whether it sees that a provider is wrong.
  boolean sees(Hostile hostile) {
    for (int more = 0; more < LARGER; more++) {
      try (Arena arena = Arena.ofShared()) {
        if (new Session(arena, more).differs(hostile.provider())) {
          return true;
        }
      }
    }
    return false;
  }

  /// Both providers' kernels, and the operands that they share.
  private final class Session {
    private final Arena arena;
    private final int more;
    private final Mix mix = new Mix(seed, "witness");
    private final int workers = needed.getOrDefault(Size.WORKERS, 1);
    private final int rows;

    Session(Arena arena, int more) {
      this.arena = arena;
      this.more = more;
      int enough = workers > 1 ? Size.WORKERS.largest + 1 : 3; // each worker has a task
      this.rows = needed.containsKey(Size.ROWS) ? size(Size.ROWS, 3) : enough;
    }

    private int size(Size size, int otherwise) {
      return needed.containsKey(size) ? needed.get(size) + more : otherwise;
    }

    boolean differs(KernelSet mutant) {
      KernelSet right = new HostileProvider();
      return switch (operator) {
        case "linear" -> linear(right, mutant);
        case "attention" -> attention(right, mutant);
        case "rmsnorm" -> {
          int width = size(Size.WIDTH, COLUMNS);
          RmsNormSpec spec = RmsNormSpec.of(width, 1e-5f);
          RmsNormKernel a = kernel(right.rmsNorm(spec));
          RmsNormKernel b = kernel(mutant.rmsNorm(spec));
          F32Matrix x = matrix(rows, width, 0);
          F32Matrix weight = matrix(1, width, -1);
          yield repeat(List.of(x, weight), width, a, b, (k, y, w) -> k.apply(x, weight, y, w));
        }
        case "rope" -> {
          int headDim = (size(Size.HEAD_DIM, 16) + 1) / 2 * 2;
          int heads = size(Size.HEADS, 2);
          int first = size(Size.POSITION, 5);
          RopeSpec spec = new RopeSpec(heads, headDim, RopePairing.valueOf(format));
          RopeKernel a = kernel(right.rope(spec));
          RopeKernel b = kernel(mutant.rope(spec));
          F32Matrix table = matrix(first + rows, headDim, 0);
          yield repeat(
              List.of(table), heads * headDim, a, b, (k, y, w) -> k.apply(y, table, first, w));
        }
        case "swiglu" -> {
          int width = size(Size.WIDTH, COLUMNS);
          SwiGluSpec spec = SwiGluSpec.of(width);
          SwiGluKernel a = kernel(right.swiGlu(spec));
          SwiGluKernel b = kernel(mutant.swiGlu(spec));
          F32Matrix gate = matrix(rows, width, 0);
          F32Matrix up = matrix(rows, width, 1);
          yield repeat(List.of(gate, up), width, a, b, (k, y, w) -> k.apply(gate, up, y, w));
        }
        default -> throw new IllegalStateException("operator=" + operator);
      };
    }

    private boolean attention(KernelSet right, KernelSet mutant) {
      KvFormat kv = format.equals("F16") ? KvFormat.F16 : KvFormat.F32;
      int kvHeads = size(Size.KV_HEADS, 2);
      int headDim = size(Size.HEAD_DIM, 16);
      int first = size(Size.POSITION, 5);
      int capacity = Math.max(first + rows, size(Size.CAPACITY, 0));
      int heads = kvHeads * size(Size.GROUP, 2);
      AttentionSpec spec = new AttentionSpec(heads, kvHeads, headDim, capacity, 0.25f, kv);
      AttentionKernel a = kernel(right.attention(spec));
      AttentionKernel b = kernel(mutant.attention(spec));
      F32Matrix q = matrix(rows, heads * headDim, 0);
      long bytes = KvCache.planeBytes(kv, kvHeads, headDim, capacity);
      KvCache cache =
          new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), kv, capacity);
      Runnable refill =
          () -> {
            fill(cache.keys(), kv.elementBytes());
            fill(cache.values(), kv.elementBytes());
          };
      return repeat(
          List.of(q), refill, heads * headDim, a, b, (k, y, w) -> k.apply(q, cache, first, y, w));
    }

    /// Calls of a kernel; then its source is written over, as a staging buffer is, and another one
    /// packed from it.
    private boolean linear(KernelSet right, KernelSet mutant) {
      BlockFormat weights = BlockFormat.byId(format.split(" ")[0]).orElseThrow();
      int block = weights.blockElements();
      int outputs = size(Size.OUTPUTS, COLUMNS);
      int inputs = (size(Size.INPUTS, 64) + block - 1) / block * block;
      Set<Numerics> tolerated =
          format.endsWith("int8")
              ? Set.of(Numerics.INT8_SYM_32, Numerics.INT8_SYM_256, Numerics.INT8_ASYM_ROW)
              : Set.of(Numerics.EXACT_F32);
      LinearSpec spec = new LinearSpec(weights, outputs, inputs, false, tolerated);
      LinearPacker a = kernel(right.linear(spec));
      LinearPacker b = kernel(mutant.linear(spec));
      F32Matrix x = matrix(rows, inputs, 0);
      WeightMatrix source = null;
      for (int model = 0; model < 2; model++) {
        WeightBytes bytes =
            WeightBytes.generate(
                weights, WeightValues.NORMAL, outputs, inputs, 0, seed, new Mix(seed, "w" + model));
        if (source == null) {
          source =
              new WeightMatrix(
                  weights,
                  arena.allocate(bytes.data().length, 64),
                  arena.allocate(bytes.scales().length, 64),
                  outputs,
                  inputs);
        }
        MemorySegment.copy(bytes.data(), 0, source.data(), JAVA_BYTE, 0, bytes.data().length);
        MemorySegment.copy(bytes.scales(), 0, source.scales(), JAVA_BYTE, 0, bytes.scales().length);
        LinearKernel ka = a.pack(List.of(source), arena, Workers.sequential());
        LinearKernel kb = b.pack(List.of(source), arena, Workers.sequential());
        if (repeat(List.of(x), outputs, ka, kb, (k, y, w) -> k.apply(x, y, w))) {
          return true;
        }
      }
      return false;
    }

    private interface Once<K> {
      void call(K kernel, F32Matrix y, Workspace w);
    }

    private <K extends Kernel> boolean repeat(
        List<F32Matrix> inputs, int columns, K right, K mutant, Once<K> once) {
      return repeat(inputs, () -> {}, columns, right, mutant, once);
    }

    /// Makes the calls by both; whether a result ever has other bits.
    private <K extends Kernel> boolean repeat(
        List<F32Matrix> inputs, Runnable refill, int columns, K right, K mutant, Once<K> once) {
      F32Matrix y = matrix(rows, columns, Y);
      F32Matrix other = matrix(rows, columns, Y);
      Workspace w =
          new Workspace(
              arena.allocate(right.scratchBytes(rows, workers), Workspace.SCRATCH_ALIGNMENT),
              new Turns(workers));
      for (int call = 0; call < calls; call++) {
        inputs.forEach(m -> fill(m.data(), Float.BYTES));
        refill.run();
        fill(y.data(), Float.BYTES);
        other.data().copyFrom(y.data());
        once.call(right, y, w);
        try {
          once.call(mutant, other, w);
        } catch (RuntimeException e) {
          return true; // so would a caller
        }
        if (y.data().mismatch(other.data()) >= 0) {
          return true;
        }
      }
      return false;
    }

    private F32Matrix matrix(int rows, int columns, int operand) {
      int stride = columns + (operand == gapOf && operand != -1 ? gap : 0);
      long floats = (long) (rows - 1) * stride + columns;
      return new F32Matrix(arena.allocate(floats * Float.BYTES, 64), rows, columns, stride);
    }

    /// Numbers in -1 .. 1.
    private void fill(MemorySegment segment, int elementBytes) {
      long state = mix.next();
      long n = segment.byteSize() / elementBytes;
      for (long i = 0; i < n; i++) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        float value = (state >> 40) * 0x1p-23f;
        if (elementBytes == Short.BYTES) {
          segment.setAtIndex(JAVA_SHORT, i, Float.floatToFloat16(value));
        } else {
          segment.setAtIndex(JAVA_FLOAT, i, value);
        }
      }
    }
  }

  private static <K> K kernel(Offer<K> offer) {
    return switch (offer) {
      case Offer.Accepted<K> a -> a.kernel();
      case Offer.Declined<K> d -> throw new IllegalStateException(d.reason());
    };
  }

  /// One thread that is all workers, in turns.
  private record Turns(int parallelism) implements Workers {
    @Override
    public void run(int tasks, Task task) {
      for (int t = 0; t < tasks; t++) {
        task.run(t, t % parallelism);
      }
    }
  }
}
