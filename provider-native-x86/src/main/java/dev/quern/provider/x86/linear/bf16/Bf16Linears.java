package dev.quern.provider.x86.linear.bf16;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.floats.FloatLinear;
import dev.quern.provider.x86.linear.floats.FloatPanels;
import dev.quern.provider.x86.linear.int8.Avx512Product;
import dev.quern.provider.x86.linear.panel.Bf16Panels;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The linear operators of `bf16`, of all formats: by `vdpbf16ps`, and on a CPU with AMX, for which
/// the caller has asked [dev.quern.provider.x86.cpu.AmxPermission], many rows by `tdpbf16ps`. Code
/// is assembled when it is first asked for, and lives as long as this or any kernel that runs on it
/// is reachable.
///
/// Invariant within a variant: a row's result has the same bits however many rows, tasks and
/// workers there are, and on AVX-512 there is one variant. With AMX there are two, which differ in
/// the order of their sums; those of [CpuRow#AVX512_BF16] are invariant on such a CPU too.
public final class Bf16Linears {
  /// Rows from which tiles multiply: fewer are multiplied at once without.
  static final int TILES_FROM = Bf16Product.UNIT.maxRows() + 1;

  private final boolean tiles;
  private final RoutineLoader loader;
  private final Map<BlockFormat, Bf16Code> codes = new ConcurrentHashMap<>();

  /// @param row [CpuRow#AVX512_BF16] or [CpuRow#AMX]
  /// @throws IllegalArgumentException if the row has no BF16 dot products
  public Bf16Linears(CpuRow row) {
    this(row, NativeRoutines::load);
  }

  public Bf16Linears(CpuRow row, RoutineLoader loader) {
    String lacking = CpuRow.AVX512_BF16.lacking(row.needs());
    if (!lacking.isEmpty()) {
      throw new IllegalArgumentException(
          "BF16 linears on CPU row " + row + ", expected avx512-bf16 or amx: " + lacking);
    }
    tiles = row.needs().containsAll(CpuRow.AMX.needs());
    this.loader = loader;
  }

  /// Offers a linear operator.
  public Offer<LinearPacker> offer(LinearSpec spec) {
    if (!spec.tolerated().contains(Numerics.BF16)) {
      return Offer.declined(
          "it runs with " + Numerics.BF16 + ", and the spec tolerates " + spec.tolerated());
    }
    Optional<Bf16Code> code;
    try {
      code = code(spec.weights());
    } catch (RefusedException e) {
      return Offer.declined(e.getMessage());
    }
    return code.map(c ->
            (Offer<LinearPacker>)
                new Offer.Accepted<LinearPacker>(
                    (stacked, allocator, workers) ->
                        FloatLinear.pack(spec, c, stacked, allocator, workers),
                    variants(spec.weights())))
        .orElseGet(() -> Offer.declined("no kernel for weight format " + spec.weights()));
  }

  private List<Variant> variants(BlockFormat format) {
    Variant dots = new Variant(Bf16Code.name(format, CpuRow.AVX512_BF16), 1, Numerics.BF16, !tiles);
    return tiles
        ? List.of(dots, new Variant(Bf16Code.name(format, CpuRow.AMX), TILES_FROM, Numerics.BF16))
        : List.of(dots);
  }

  /// The code of a format; empty if it is not known. Two that ask at once may both assemble it; one
  /// is kept.
  public Optional<Bf16Code> code(BlockFormat format) throws RefusedException {
    Bf16Code known = codes.get(format);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<PanelFormat> blocks = PanelFormat.of(format);
    Bf16Code code;
    if (blocks.isPresent()) {
      BlockPanels panels =
          new BlockPanels(blocks.get(), blocks.get().layout(Avx512Product.OUTPUTS));
      code = code(BlockFormat.BF16).orElseThrow().with(panels, loader);
    } else if (format.equals(BlockFormat.BF16)) {
      int from = tiles ? TILES_FROM : Integer.MAX_VALUE;
      code = Bf16Code.load(new Bf16Panels(format), from, loader);
    } else if (FloatPanels.formats().contains(format)) {
      code = code(BlockFormat.BF16).orElseThrow().with(new Bf16Panels(format), loader);
    } else {
      return Optional.empty();
    }
    Bf16Code other = codes.putIfAbsent(format, code);
    return Optional.of(other == null ? code : other);
  }
}
