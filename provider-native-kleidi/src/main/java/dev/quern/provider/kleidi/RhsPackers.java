package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.kleidi.KleidiAi.RhsPacker;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// Opens the library's packers of weights, `kai_run_NAME`: each family's has a signature of its
/// own, which becomes that of [RhsPacker].
///
/// @param library where they are
record RhsPackers(KleidiAi library) {
  /// `enum kai_datatype`: kai_dt_bf16.
  private static final int DT_BF16 = 0x0213;

  /// Of the widest tile that any kernel has: 4 vectors of 2048 bits.
  private static final long MOST_OUTPUTS = 4 * 64;

  /// [RhsPacker#run]: n, k, nr, kr, sr, bl | rhs, its offset and stride | scales, their offset and
  /// stride | packed, its offset.
  private static final MethodType RUN =
      MethodType.methodType(
          void.class,
          long.class,
          long.class,
          long.class,
          long.class,
          long.class,
          long.class,
          MemorySegment.class,
          long.class,
          long.class,
          MemorySegment.class,
          long.class,
          long.class,
          MemorySegment.class,
          long.class);

  /// Opens a packer of int4 blocks with a plane of BF16 scales.
  ///
  /// ```
  /// size_t kai_get_rhs_packed_size_NAME(size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t sr, size_t bl, enum kai_datatype scale_dt);
  /// void kai_run_NAME(size_t num_groups, size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t sr, size_t bl, const uint8_t* rhs, size_t rhs_stride, const float* bias,
  ///     const void* scale, size_t scale_stride, void* rhs_packed, size_t extra_bytes,
  ///     const struct { int8_t lhs_zero_point; uint8_t rhs_zero_point;
  ///         enum kai_datatype scale_dt; }* params);
  /// ```
  RhsPacker int4Blocks(String name) {
    MethodHandle size =
        library.function(
            "kai_get_rhs_packed_size_" + name,
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                JAVA_INT));
    MethodHandle run =
        library.function(
            "kai_run_" + name,
            FunctionDescriptor.ofVoid(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS));
    MemorySegment params = Arena.ofAuto().allocate(8, 4);
    params.set(JAVA_BYTE, 0, (byte) 1);
    params.set(JAVA_BYTE, 1, (byte) 8);
    params.set(JAVA_INT, 4, DT_BF16);
    run = MethodHandles.insertArguments(run, 13, 0L, params);
    run = MethodHandles.insertArguments(run, 9, MemorySegment.NULL);
    run = MethodHandles.insertArguments(run, 0, 1L);
    // n, k, nr, kr, sr, bl | rhs, rhs_stride | scale, scale_stride | rhs_packed
    return new RhsPacker(
        name,
        RhsSource.STORED,
        MethodHandles.insertArguments(size, 6, DT_BF16),
        Offsets.with(Offsets.with(Offsets.with(run, 10), 8), 6));
  }

  /// Opens a packer of ggml's Q4_0 blocks.
  ///
  /// ```
  /// size_t kai_get_rhs_packed_size_NAME(size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t bl);
  /// void kai_run_NAME(size_t num_groups, size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t sr, size_t bl, const uint8_t* rhs, const float* bias, void* rhs_packed,
  ///     size_t extra_bytes,
  ///     const struct { int8_t lhs_zero_point; uint8_t rhs_zero_point; }* params);
  /// ```
  RhsPacker q4(String name) {
    MethodHandle size =
        library.function(
            "kai_get_rhs_packed_size_" + name,
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    MethodHandle run =
        library.function(
            "kai_run_" + name,
            FunctionDescriptor.ofVoid(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    MemorySegment params = Arena.ofAuto().allocate(2, 1);
    params.set(JAVA_BYTE, 0, (byte) 1);
    params.set(JAVA_BYTE, 1, (byte) 8);
    run = MethodHandles.insertArguments(run, 10, 0L, params);
    run = MethodHandles.insertArguments(run, 8, MemorySegment.NULL);
    run = MethodHandles.insertArguments(run, 0, 1L);
    // n, k, nr, kr, sr, bl | rhs | rhs_packed
    run = Offsets.with(Offsets.with(run, 7), 6);
    return new RhsPacker(
        name,
        RhsSource.STORED,
        MethodHandles.dropArguments(size, 4, long.class),
        MethodHandles.dropArguments(
            run, 8, long.class, MemorySegment.class, long.class, long.class));
  }

  /// Opens a packer of int8 with an F32 scale for each output.
  ///
  /// ```
  /// size_t kai_get_rhs_packed_size_NAME(size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t sr);
  /// void kai_run_NAME(size_t num_groups, size_t n, size_t k, size_t nr, size_t kr,
  ///     size_t sr, const int8_t* rhs, const float* bias, const float* scale, void* rhs_packed,
  ///     size_t extra_bytes,
  ///     const struct { int32_t lhs_zero_point; float scale_multiplier; }* params);
  /// ```
  RhsPacker int8Channels(String name) {
    MethodHandle size =
        library.function(
            "kai_get_rhs_packed_size_" + name,
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    MethodHandle run =
        library.function(
            "kai_run_" + name,
            FunctionDescriptor.ofVoid(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS,
                ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    MemorySegment params = Arena.ofAuto().allocate(8, 4);
    params.set(JAVA_INT, 0, 1);
    params.set(JAVA_FLOAT, 4, 1f);
    run = MethodHandles.insertArguments(run, 10, 0L, params);
    run = MethodHandles.insertArguments(run, 7, MemorySegment.NULL);
    run = MethodHandles.insertArguments(run, 0, 1L);
    // n, k, nr, kr, sr | rhs | scale | rhs_packed
    run = Offsets.with(Offsets.with(Offsets.with(run, 7), 6), 5);
    run = MethodHandles.dropArguments(run, 9, long.class); // scale_stride
    run = MethodHandles.dropArguments(run, 7, long.class); // rhs_stride: rows are dense
    return new RhsPacker(
        name,
        RhsSource.STORED,
        MethodHandles.dropArguments(size, 5, long.class),
        MethodHandles.dropArguments(run, 5, long.class));
  }

  /// Opens a packer of F32 weights, a row for each output (`nxk`) or for each input (`kxn`). Its
  /// bias is for one tile.
  ///
  /// ```
  /// size_t kai_get_rhs_packed_size_NAME(size_t n, size_t k);          of those that round: , nr, kr
  /// void kai_run_NAME(size_t num_groups, size_t n, size_t k, size_t nr, size_t kr, size_t sr,
  ///     size_t rhs_stride, const void* rhs, const void* bias, const void* scale, void* rhs_packed,
  ///     size_t extra_bytes, const void* params);
  /// ```
  RhsPacker floats(String name) {
    boolean rounds = name.startsWith("rhs_quant_pack_");
    FunctionDescriptor sizes = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG);
    MethodHandle size =
        library.function(
            "kai_get_rhs_packed_size_" + name,
            rounds ? sizes.appendArgumentLayouts(JAVA_LONG, JAVA_LONG) : sizes);
    size = rounds ? size : MethodHandles.dropArguments(size, 2, long.class, long.class);
    MethodHandle run =
        library.function(
            "kai_run_" + name,
            FunctionDescriptor.ofVoid(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    run = MethodHandles.insertArguments(run, 11, 0L, MemorySegment.NULL);
    run = MethodHandles.insertArguments(run, 8, zeros(), MemorySegment.NULL);
    run = MethodHandles.insertArguments(run, 0, 1L);
    // n, k, nr, kr, sr | rhs_stride | rhs | rhs_packed
    run = Offsets.with(Offsets.with(run, 7), 6);
    return new RhsPacker(
        name,
        name.contains("_kxn_") ? RhsSource.COLUMNS : RhsSource.ROWS,
        MethodHandles.dropArguments(size, 4, long.class, long.class),
        MethodHandles.permuteArguments(run, RUN, 0, 1, 2, 3, 4, 8, 6, 7, 12, 13));
  }

  /// A bias that adds nothing to a tile.
  private static MemorySegment zeros() {
    return Arena.ofAuto().allocate(MOST_OUTPUTS * Float.BYTES, Float.BYTES);
  }
}
