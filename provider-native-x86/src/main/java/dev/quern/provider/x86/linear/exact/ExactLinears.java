package dev.quern.provider.x86.linear.exact;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.floats.FloatLinear;
import dev.quern.provider.x86.linear.floats.FloatPanels;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The linear operators of `exact-f32` of a row of the table of CPUs, of all formats. The code of a
/// format is assembled when it is first asked for, and lives as long as this or any kernel that
/// runs on it is reachable.
///
/// Invariant: a row's result has the same bits however many rows, tasks and workers there are.
public final class ExactLinears {
  private final FloatUnit unit;
  private final RoutineLoader loader;
  private final Map<BlockFormat, ExactCode> codes = new ConcurrentHashMap<>();

  public ExactLinears(CpuRow row) {
    this(row, NativeRoutines::load);
  }

  public ExactLinears(CpuRow row, RoutineLoader loader) {
    unit = FloatUnit.of(row);
    this.loader = loader;
  }

  /// Offers a linear operator.
  public Offer<LinearPacker> offer(LinearSpec spec) {
    WeightPanels panels = WeightPanels.of(spec.weights(), unit.outputs()).orElse(null);
    if (panels == null) {
      return Offer.declined("no kernel for weight format " + spec.weights());
    }
    if (!spec.tolerated().contains(Numerics.EXACT_F32)) {
      return Offer.declined(
          "it runs with " + Numerics.EXACT_F32 + ", and the spec tolerates " + spec.tolerated());
    }
    ExactCode code;
    try {
      code = code(panels);
    } catch (RefusedException e) {
      return Offer.declined(e.getMessage());
    }
    LinearPacker packer =
        (stacked, allocator, workers) -> FloatLinear.pack(spec, code, stacked, allocator, workers);
    return Offer.accepted(packer, new Variant(code.name(), 1, Numerics.EXACT_F32, true));
  }

  /// Two that ask at once may both assemble it; one is kept.
  private ExactCode code(WeightPanels panels) throws RefusedException {
    ExactCode known = codes.get(panels.format());
    if (known != null) {
      return known;
    }
    ExactCode code =
        panels.format().equals(BlockFormat.F32)
            ? ExactCode.f32(unit, panels, loader)
            : ExactCode.load(
                code(new FloatPanels(BlockFormat.F32, unit.outputs())), panels, loader);
    ExactCode other = codes.putIfAbsent(panels.format(), code);
    return other == null ? code : other;
  }
}
