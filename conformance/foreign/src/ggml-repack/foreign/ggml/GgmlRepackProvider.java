package foreign.ggml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
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
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// ggml's products with repacked weights, eight rows of them interleaved (`8x8`), which it prefers
/// on AVX2: four rows of x at a time by `ggml_gemm_*`, those that are left by `ggml_gemv_*`, as
/// `tensor_traits::compute_forward` of its `repack.cpp` calls them. The weights are repacked by
/// its own buffer type. `-Dquern.foreign.ggml=libggml-cpu-VARIANT.so` names the library.
public final class GgmlRepackProvider extends ForeignProvider {
  private static final int INTERLEAVED = 8; // outputs
  private static final int TOGETHER = 4; // rows of x

  /// Of each format: ggml's number and name, the one that x is converted to, bytes and elements of
  /// a block of that, and what of SPEC.md comes nearest.
  private record Type(
      int id, String name, int x, String xName, int bytes, int elements, Numerics numerics) {
    static Type q8(int id, String name) {
      return new Type(id, name, 8, "q8_0", 34, 32, Numerics.INT8_SYM_32_F16);
    }
  }

  private static final Map<String, Type> TYPES =
      Map.of(
          "Q4_0", Type.q8(2, "q4_0"),
          "IQ4_NL", Type.q8(20, "iq4_nl"),
          "MXFP4", Type.q8(39, "mxfp4"),
          "Q4_K", new Type(12, "q4_K", 15, "q8_K", 292, 256, Numerics.INT8_SYM_256));

  public GgmlRepackProvider() {
    super("ggml-repack", "quern.foreign.ggml", "libggml-cpu-VARIANT.so");
  }

  @Override
  protected Availability open(Library cpu, Path file) throws Throwable {
    SymbolLookup base = SymbolLookup.libraryLookup("libggml-base.so.0", Arena.global());
    Library library = new Library(cpu.symbols().or(base));
    library.handle("ggml_cpu_init", FunctionDescriptor.ofVoid()).invokeExact();
    if ((int) library.handle("ggml_cpu_has_avx2", FunctionDescriptor.of(JAVA_INT)).invokeExact()
        == 0) {
      return new Availability.Unavailable("it repacks otherwise without AVX2", "AVX2");
    }
    return new Availability.Ready(
        new Kernels(new Functions(library)), file.getFileName().toString());
  }

  private record Functions(Library library) {
    private MethodHandle handle(String name, FunctionDescriptor type) {
      return library.handle(name, type);
    }

    /// `(n, s, bs, vx, vy, nr, nc)`; pointers are numbers, as a segment for each would be garbage.
    MethodHandle product(String kind, Type type) {
      return handle(
          "ggml_" + kind + "_" + type.name + "_8x8_" + type.xName,
          FunctionDescriptor.ofVoid(
              JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT));
    }

    private static final FunctionDescriptor CONVERT =
        FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG);

    MethodHandle four(Type type) {
      return handle("ggml_quantize_mat_" + type.xName + "_4x8", CONVERT);
    }

    MethodHandle one(Type type) throws Throwable {
      MemorySegment traits =
          (MemorySegment)
              handle("ggml_get_type_traits_cpu", FunctionDescriptor.of(ADDRESS, JAVA_INT))
                  .invokeExact(type.x);
      return Linker.nativeLinker().downcallHandle(traits.reinterpret(8).get(ADDRESS, 0), CONVERT);
    }

    private static final MemoryLayout INIT_PARAMS =
        MemoryLayout.structLayout(
            JAVA_LONG, ADDRESS, JAVA_BOOLEAN, MemoryLayout.paddingLayout(7));

    /// Rows of weights, their number a multiple of eight, as ggml's buffer type keeps them.
    void repack(Type type, MemorySegment rows, long inputs, long outputs, MemorySegment to)
        throws Throwable {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment params = arena.allocate(INIT_PARAMS); // no_alloc: the tensor's head alone
        params.set(JAVA_LONG, 0, 1 << 12);
        params.set(JAVA_BOOLEAN, 16, true);
        MemorySegment context =
            (MemorySegment)
                handle("ggml_init", FunctionDescriptor.of(ADDRESS, INIT_PARAMS)).invokeExact(params);
        MemorySegment tensor =
            (MemorySegment)
                handle(
                        "ggml_new_tensor_2d",
                        FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG))
                    .invokeExact(context, type.id, inputs, outputs);
        MemorySegment kind =
            (MemorySegment)
                handle("_Z35ggml_backend_cpu_repack_buffer_typev", FunctionDescriptor.of(ADDRESS))
                    .invokeExact();
        MemorySegment buffer =
            (MemorySegment)
                handle(
                        "ggml_backend_buft_alloc_buffer",
                        FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG))
                    .invokeExact(kind, rows.byteSize());
        MemorySegment base =
            (MemorySegment)
                handle("ggml_backend_buffer_get_base", FunctionDescriptor.of(ADDRESS, ADDRESS))
                    .invokeExact(buffer);
        int status =
            (int)
                handle(
                        "ggml_backend_tensor_alloc",
                        FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS))
                    .invokeExact(buffer, tensor, base);
        if (status != 0) {
          throw new IllegalStateException("ggml_backend_tensor_alloc returns " + status);
        }
        handle(
                "ggml_backend_tensor_set",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG))
            .invokeExact(tensor, rows, 0L, rows.byteSize());
        to.copyFrom(base.reinterpret(rows.byteSize()));
        handle("ggml_backend_buffer_free", FunctionDescriptor.ofVoid(ADDRESS)).invokeExact(buffer);
        handle("ggml_free", FunctionDescriptor.ofVoid(ADDRESS)).invokeExact(context);
      }
    }
  }

  private record Kernels(Functions ggml) implements KernelSet {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      Type type = TYPES.get(spec.weights().id());
      if (type == null) {
        return Offer.declined("repacks no " + spec.weights() + " here");
      } else if (spec.bias() || !spec.tolerated().contains(type.numerics)) {
        return Offer.declined("no bias, and " + type.numerics + " alone");
      }
      return Offer.accepted(
          (stacked, packed, workers) -> pack(spec, type, stacked, packed),
          new Variant("gemm-8x8", 1, type.numerics));
    }

    private LinearKernel pack(
        LinearSpec spec, Type type, List<WeightMatrix> stacked, SegmentAllocator packed) {
      List<Part> parts = new ArrayList<>();
      try (Arena arena = Arena.ofConfined()) {
        for (WeightMatrix m : stacked) {
          int outputs = Math.ceilDiv(m.outputs(), INTERLEAVED) * INTERLEAVED;
          MemorySegment rows = arena.allocate(m.format().rowBytes(spec.inputs()) * outputs, 64);
          rows.asSlice(0, m.data().byteSize()).copyFrom(m.data());
          MemorySegment to = packed.allocate(rows.byteSize(), 64);
          ggml.repack(type, rows, spec.inputs(), outputs, to);
          parts.add(new Part(to, m.outputs(), outputs));
        }
        return new Kernel(
            spec,
            type,
            parts,
            ggml.four(type),
            ggml.one(type),
            ggml.product("gemm", type),
            ggml.product("gemv", type));
      } catch (RuntimeException | Error e) {
        throw e; // the allocator's
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /// One of the stacked matrices, its outputs filled up with zeros.
  private record Part(MemorySegment weights, int outputs, int padded) {}

  private record Kernel(
      LinearSpec spec,
      Type type,
      List<Part> parts,
      MethodHandle four,
      MethodHandle one,
      MethodHandle gemm,
      MethodHandle gemv)
      implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return false;
    }

    /// Where a converted row begins.
    private long convertedRow(long row) {
      return row * spec.inputs() / type.elements * type.bytes;
    }

    private long convertedBytes(long rows) {
      return Math.ceilDiv(convertedRow(rows), 64) * 64;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      long widest = parts.stream().mapToLong(Part::padded).max().orElse(0);
      return convertedBytes(rows) + 4 * widest * rows + 4L * TOGETHER * spec.inputs();
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      w.workers().run(1, (task, worker) -> multiply(x, y, w.scratch()));
    }

    private void multiply(F32Matrix x, F32Matrix y, MemorySegment scratch) {
      try {
        int rows = x.rows();
        int fours = rows / TOGETHER * TOGETHER;
        long inputs = spec.inputs();
        long converted = scratch.address();
        long denseAt = convertedBytes(rows);
        long sumsAt = denseAt + 4L * TOGETHER * inputs;
        long sums = converted + sumsAt;
        for (int row = 0; row < fours; row += TOGETHER) { // which have to lie one behind the other
          for (int i = 0; i < TOGETHER; i++) {
            MemorySegment.copy(
                x.data(), x.offsetBytes(row + i, 0), scratch, denseAt + 4 * i * inputs, 4 * inputs);
          }
          four.invokeExact(converted + denseAt, converted + convertedRow(row), inputs);
        }
        for (int row = fours; row < rows; row++) {
          one.invokeExact(
              x.data().address() + x.offsetBytes(row, 0), converted + convertedRow(row), inputs);
        }
        int column = 0;
        for (int p = 0; p < parts.size(); p++) {
          Part part = parts.get(p);
          long weights = part.weights.address();
          if (fours > 0) {
            gemm.invokeExact(
                (int) inputs, sums, (long) part.padded, weights, converted, fours, part.padded);
          }
          for (int row = fours; row < rows; row++) {
            gemv.invokeExact(
                (int) inputs,
                sums + 4L * row * part.padded,
                (long) part.padded,
                weights,
                converted + convertedRow(row),
                1,
                part.padded);
          }
          for (int row = 0; row < rows; row++) {
            for (int o = 0; o < part.outputs; o++) {
              float sum = scratch.get(JAVA_FLOAT, sumsAt + 4L * ((long) row * part.padded + o));
              float before = spec.accumulate() ? y.get(row, column + o) : 0;
              y.set(row, column + o, before + sum);
            }
          }
          column += part.outputs;
        }
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
