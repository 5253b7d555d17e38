package dev.quern.provider.x86.linear.int8;

import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The linear operators of a row of the table of CPUs. The code of a format is assembled when it is
/// first asked for, and lives as long as this or any kernel that runs on it is reachable.
public final class Int8Linears {
  private final DotUnit unit;
  private final RoutineLoader loader;
  private final Map<PanelFormat, Int8Code> codes = new ConcurrentHashMap<>();

  /// @param row what the CPU has and the system permits
  ///   ([dev.quern.provider.x86.cpu.AmxPermission]): other code would end the process
  public Int8Linears(CpuRow row) {
    this(row, NativeRoutines::load);
  }

  public Int8Linears(CpuRow row, RoutineLoader loader) {
    unit = DotUnit.of(row);
    this.loader = loader;
  }

  /// Offers a linear operator.
  public Offer<LinearPacker> offer(LinearSpec spec) {
    PanelFormat format = PanelFormat.of(spec.weights()).orElse(null);
    if (format == null) {
      return Offer.declined("no kernel for weight format " + spec.weights());
    }
    if (!spec.tolerated().contains(format.numerics())) {
      return Offer.declined(
          "activations are rounded ("
              + format.numerics()
              + "), and the spec tolerates "
              + spec.tolerated());
    }
    Int8Code code;
    try {
      code = code(format);
    } catch (RefusedException e) {
      return Offer.declined(e.getMessage());
    }
    LinearPacker packer =
        (stacked, allocator, workers) ->
            new Int8Linear(spec, code, code.pack(spec, stacked, allocator, workers));
    return Offer.accepted(packer, new Variant(code.name(), 1, format.numerics(), true));
  }

  /// Two that ask at once may both assemble it; one is kept.
  public Int8Code code(PanelFormat format) throws RefusedException {
    Int8Code known = codes.get(format);
    if (known != null) {
      return known;
    }
    Int8Code code = Int8Code.load(unit, format, loader);
    Int8Code other = codes.putIfAbsent(format, code);
    return other == null ? code : other;
  }
}
