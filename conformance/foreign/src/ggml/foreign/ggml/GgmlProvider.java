package foreign.ggml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import foreign.ForeignProvider;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// ggml's dot products by type (`ggml_type_traits_cpu`), called as its own `ggml_mul_mat` calls
/// them: a row of x is converted by `from_float`, then multiplied by one row of weights after the
/// other. `-Dquern.foreign.ggml=libggml-cpu-VARIANT.so` names the library.
public final class GgmlProvider extends ForeignProvider {
  /// Of each format: ggml's number, the one that x is converted to, bytes and elements of a block
  /// of that, and what of SPEC.md comes nearest.
  private record Type(int id, int x, int bytes, int elements, Numerics numerics) {}

  private static Type q8(int id) { // d as F16 and 32 int8
    return new Type(id, 8, 34, 32, Numerics.INT8_SYM_32_F16);
  }

  private static Type q8k(int id) { // d as F32, 256 int8, 16 sums as int16
    return new Type(id, 15, 292, 256, Numerics.INT8_SYM_256);
  }

  private static Type q81(int id) { // d and the sum of d * q as F16, 32 int8
    return new Type(id, 9, 36, 32, Numerics.INT8_SYM_32_F16);
  }

  private static final Map<String, Type> TYPES =
      Map.ofEntries(
          Map.entry("F32", new Type(0, 0, 4, 1, Numerics.EXACT_F32)),
          Map.entry("BF16", new Type(30, 30, 2, 1, Numerics.BF16)),
          Map.entry("Q4_0", q8(2)), Map.entry("Q5_0", q8(6)), Map.entry("Q8_0", q8(8)),
          Map.entry("IQ4_NL", q8(20)), Map.entry("MXFP4", q8(39)),
          Map.entry("Q4_1", q81(3)), Map.entry("Q5_1", q81(7)),
          Map.entry("Q2_K", q8k(10)), Map.entry("Q3_K", q8k(11)), Map.entry("Q4_K", q8k(12)),
          Map.entry("Q5_K", q8k(13)), Map.entry("Q6_K", q8k(14)));

  // Pointers are numbers here: a segment for each would be garbage in each call.
  private static final FunctionDescriptor FROM_FLOAT =
      FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final FunctionDescriptor VEC_DOT =
      FunctionDescriptor.ofVoid(
          JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);

  public GgmlProvider() {
    super("ggml", "quern.foreign.ggml", "libggml-cpu-VARIANT.so");
  }

  @Override
  protected Availability open(Library library, Path file) throws Throwable {
    library.handle("ggml_cpu_init", FunctionDescriptor.ofVoid()).invokeExact();
    return new Availability.Ready(new Kernels(library), file.getFileName().toString());
  }

  private static MethodHandle handle(MemorySegment function, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(function, type);
  }

  private record Kernels(Library library) implements KernelSet {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      Type type = TYPES.get(spec.weights().id());
      if (type == null) {
        return Offer.declined("no dot product of " + spec.weights() + " that SPEC.md has a name for");
      } else if (spec.bias() || !spec.tolerated().contains(type.numerics)) {
        return Offer.declined("no bias, and " + type.numerics + " alone");
      }
      MethodHandle dot = handle(traits(type.id).get(ADDRESS, 8), VEC_DOT);
      // Of F32 there is none: x is read as it is.
      MethodHandle convert = type.x == 0 ? null : handle(traits(type.x).get(ADDRESS, 0), FROM_FLOAT);
      return Offer.accepted(
          (stacked, packed, workers) -> new Kernel(spec, type, stacked, convert, dot),
          new Variant("vec-dot", 1, type.numerics));
    }

    private MemorySegment traits(int type) {
      try {
        return ((MemorySegment)
                library
                    .handle("ggml_get_type_traits_cpu", FunctionDescriptor.of(ADDRESS, JAVA_INT))
                    .invokeExact(type))
            .reinterpret(32);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private record Kernel(
      LinearSpec spec, Type type, List<WeightMatrix> stacked, MethodHandle convert, MethodHandle dot)
      implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return true;
    }

    /// A converted row, and a result before it is added.
    private long rowBytes() {
      return Math.ceilDiv((long) spec.inputs() / type.elements * type.bytes, 64) * 64 + 64;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return rowBytes() * rows;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      w.workers().run(x.rows(), (row, worker) -> row(x, y, row, w.scratch()));
    }

    private void row(F32Matrix x, F32Matrix y, int row, MemorySegment scratch) {
      try {
        long at = rowBytes() * row;
        long own = scratch.address() + at;
        long sumAt = at + rowBytes() - 64;
        long xs = x.data().address() + x.offsetBytes(row, 0);
        if (convert != null) {
          convert.invokeExact(xs, own, (long) spec.inputs());
          xs = own;
        }
        int column = 0;
        for (int i = 0; i < stacked.size(); i++) {
          WeightMatrix m = stacked.get(i);
          long bytes = m.format().rowBytes(spec.inputs());
          long weights = m.data().address();
          for (int o = 0; o < m.outputs(); o++, column++) {
            dot.invokeExact(
                spec.inputs(), scratch.address() + sumAt, 0L, weights + bytes * o, 0L, xs, 0L, 1);
            float before = spec.accumulate() ? y.get(row, column) : 0;
            y.set(row, column, before + scratch.get(JAVA_FLOAT, sumAt));
          }
        }
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
