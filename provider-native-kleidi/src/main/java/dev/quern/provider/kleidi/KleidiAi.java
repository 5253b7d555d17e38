package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A loaded KleidiAI library: the one class that knows linkers, symbols and addresses. Signatures
/// and preconditions are those of KleidiAI 1.8 to 1.32 (`kai/ukernels/matmul`). A violated
/// precondition ends the process, and so does any function of a kernel that the CPU lacks, getters
/// included: callers ask for CPU features first.
///
/// Calls go through handles in final fields of records, which C2 does not fold: the library, and so
/// the handle, is known at run time only. `java.lang.invoke` customises such a handle after 127
/// calls, and within its code the downcall is constant and inlined. For that reason a pointer is a
/// segment and an offset up to the handle itself, which makes the slice: there it needs no memory,
/// while a slice made by the caller would escape to the heap with each call. Under C2 a linear with
/// one worker allocates nothing at last, and 200 bytes a call (its five slices) where customising
/// is turned off. Segments, and not bare addresses: the linker keeps their arenas alive during the
/// call, and an arena that was closed is an exception.
final class KleidiAi {
  /// Spare bytes behind packed operands: SME kernels load whole vectors.
  static final long SPARE_BYTES = 64;

  private static final Linker LINKER = Linker.nativeLinker();

  private final SymbolLookup symbols;

  /// @param symbols the library's; they live as long as what is opened from here
  KleidiAi(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /// Those of the names that the library lacks.
  List<String> missing(Stream<String> names) {
    return names.filter(n -> symbols.find(n).isEmpty()).toList();
  }

  /// How operands are packed: in tiles, of whose rows `kr / sr` elements at a time interleave.
  ///
  /// @param mr rows of x in a tile
  /// @param nr outputs in a tile
  record Tiling(long mr, long nr, long kr, long sr) {}

  /// How rows, of x or of weights, lie in packed memory.
  ///
  /// @param k inputs
  /// @param bl inputs of a block of weights, where they have blocks
  record PackedLayout(long k, long bl, Tiling tiling) {}

  /// Rows of x, packed or as the caller has them, or of products: from byte `at` of a segment on. A
  /// segment and an offset as everywhere here.
  ///
  /// @param strideBytes from row to row; of packed rows it says nothing
  record Rows(MemorySegment data, long at, int rows, long strideBytes) {
    /// Of an F32 element.
    long offsetBytes(int row, int column) {
      return at + row * strideBytes + (long) Float.BYTES * column;
    }
  }

  /// A matrix multiplication.
  ///
  /// @param name the part of its functions' names after `matmul_clamp_f32_`
  /// @param lhs packer of x; without one it takes x as it is
  /// @param nStep outputs that it computes at a time: it may start at a multiple
  record MicroKernel(
      String name, Optional<LhsPacker> lhs, Tiling tiling, long nStep, MethodHandle run) {
    /// Multiplies rows of x by packed outputs; without a clamp.
    ///
    /// @param layout of the outputs
    /// @param x as many rows as there are products of
    /// @param rhs outputs `begin` (inclusive) to `end` (exclusive), at `rhsAt`
    void run(
        PackedLayout layout, Rows x, MemorySegment rhs, long rhsAt, Rows dst, int begin, int end) {
      long m = dst.rows;
      long n = end - begin;
      long at = dst.offsetBytes(0, begin);
      try {
        run.invokeExact(
            m,
            n,
            layout.k,
            layout.bl,
            x.data,
            x.at,
            x.strideBytes,
            rhs,
            rhsAt,
            dst.data,
            at,
            dst.strideBytes);
      } catch (Throwable e) {
        throw Offsets.failure(e);
      }
    }
  }

  /// Rounds rows of x to what a kernel multiplies, and packs them.
  record LhsPacker(String name, MethodHandle packedSize, MethodHandle run) {
    /// Bytes of m packed rows.
    long packedSize(long m, PackedLayout layout) {
      Tiling t = layout.tiling;
      try {
        return (long) packedSize.invokeExact(m, layout.k, layout.bl, t.mr, t.kr, t.sr);
      } catch (Throwable e) {
        throw Offsets.failure(e);
      }
    }

    /// Packs m rows of x, the first of which begins a tile.
    void pack(
        long m,
        PackedLayout layout,
        MemorySegment x,
        long xAt,
        long xStrideBytes,
        MemorySegment packed,
        long packedAt) {
      Tiling t = layout.tiling;
      try {
        run.invokeExact(
            m, layout.k, layout.bl, t.mr, t.kr, t.sr, x, xAt, xStrideBytes, packed, packedAt);
      } catch (Throwable e) {
        throw Offsets.failure(e);
      }
    }
  }

  /// Packs weights.
  ///
  /// @param source what it packs them from
  record RhsPacker(String name, RhsSource source, MethodHandle packedSize, MethodHandle run) {
    /// Bytes of n packed outputs.
    long packedSize(long n, PackedLayout layout) {
      Tiling t = layout.tiling;
      try {
        return (long) packedSize.invokeExact(n, layout.k, t.nr, t.kr, t.sr, layout.bl);
      } catch (Throwable e) {
        throw Offsets.failure(e);
      }
    }

    /// Packs n outputs; they begin a tile.
    void pack(
        long n, PackedLayout layout, RhsSource.Planes w, MemorySegment packed, long packedAt) {
      Tiling t = layout.tiling;
      try {
        run.invokeExact(
            n,
            layout.k,
            t.nr,
            t.kr,
            t.sr,
            layout.bl,
            w.data(),
            w.dataAt(),
            w.dataStride(),
            w.scales(),
            w.scalesAt(),
            w.scaleStride(),
            packed,
            packedAt);
      } catch (Throwable e) {
        throw Offsets.failure(e);
      }
    }
  }

  /// Opens `kai_run_matmul_clamp_f32_NAME`. The CPU must have what it needs.
  ///
  /// ```
  /// size_t kai_get_{mr,nr,kr,sr,n_step}_matmul_clamp_f32_NAME(void);
  /// void kai_run_matmul_clamp_f32_NAME(size_t m, size_t n, size_t k, size_t bl,
  ///     const void* lhs, size_t lhs_stride, const void* rhs_packed, float* dst,
  ///     size_t dst_stride_row, size_t dst_stride_col, float scalar_min, float scalar_max);
  /// ```
  ///
  /// @param lhs packer of x; those that take x as it is have the parameter lhs_stride, and no mr
  /// @param blocks whether it has the parameter bl
  MicroKernel microKernel(String name, Optional<LhsPacker> lhs, boolean blocks) {
    String suffix = "_matmul_clamp_f32_" + name;
    FunctionDescriptor c =
        FunctionDescriptor.ofVoid(
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            ADDRESS,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_FLOAT,
            JAVA_FLOAT);
    c = lhs.isPresent() ? c : c.insertArgumentLayouts(4, JAVA_LONG);
    c = blocks ? c.insertArgumentLayouts(3, JAVA_LONG) : c;
    MethodHandle run = function("kai_run" + suffix, c);
    run = blocks ? run : MethodHandles.dropArguments(run, 3, long.class);
    run = lhs.isPresent() ? MethodHandles.dropArguments(run, 5, long.class) : run;
    // dst_stride_col must be that of a float; infinite bounds clamp nothing.
    run =
        MethodHandles.insertArguments(
            run, 9, (long) Float.BYTES, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);
    return new MicroKernel(
        name,
        lhs,
        new Tiling(
            lhs.isPresent() ? size("kai_get_mr" + suffix) : 1,
            size("kai_get_nr" + suffix),
            size("kai_get_kr" + suffix),
            size("kai_get_sr" + suffix)),
        size("kai_get_n_step" + suffix),
        Offsets.with(Offsets.with(Offsets.with(run, 7), 6), 4));
  }

  /// Opens `kai_run_NAME`.
  ///
  /// ```
  /// size_t kai_get_lhs_packed_size_NAME(size_t m, size_t k, size_t bl, size_t mr, size_t kr,
  ///     size_t sr);
  /// void kai_run_NAME(size_t m, size_t k, size_t bl, size_t mr, size_t kr, size_t sr,
  ///     size_t m_idx_start, const float* lhs, size_t lhs_stride, void* lhs_packed);
  /// ```
  ///
  /// @param blocks whether they have the parameter bl
  LhsPacker lhsPacker(String name, boolean blocks) {
    FunctionDescriptor size =
        FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    FunctionDescriptor c =
        FunctionDescriptor.ofVoid(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG,
            ADDRESS);
    MethodHandle packedSize =
        function(
            "kai_get_lhs_packed_size_" + name,
            blocks ? size.insertArgumentLayouts(2, JAVA_LONG) : size);
    MethodHandle run =
        function("kai_run_" + name, blocks ? c.insertArgumentLayouts(2, JAVA_LONG) : c);
    if (!blocks) {
      packedSize = MethodHandles.dropArguments(packedSize, 2, long.class);
      run = MethodHandles.dropArguments(run, 2, long.class);
    }
    // m_idx_start means different things in different packers, and 0 the same in all.
    run = MethodHandles.insertArguments(run, 6, 0L);
    return new LhsPacker(name, packedSize, Offsets.with(Offsets.with(run, 8), 6));
  }

  /// Bytes of an SVE vector, or 0 where the library is too old to say. The CPU must have SVE.
  ///
  /// `uint64_t kai_get_sve_vector_length_u8(void);`
  long sveVectorBytes() {
    String name = "kai_get_sve_vector_length_u8";
    return missing(Stream.of(name)).isEmpty() ? size(name) : 0;
  }

  /// Calls `size_t NAME(void)`.
  private long size(String name) {
    try {
      return (long) function(name, FunctionDescriptor.of(JAVA_LONG)).invokeExact();
    } catch (Throwable e) {
      throw Offsets.failure(e);
    }
  }

  /// A downcall.
  @SuppressWarnings("restricted")
  MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(symbols.findOrThrow(name), descriptor);
  }
}
