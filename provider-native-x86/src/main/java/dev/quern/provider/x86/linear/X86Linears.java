package dev.quern.provider.x86.linear;

import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The linear operators of a row of the table of CPUs: the code for each format, and its offers.
public final class X86Linears {
  private final Map<String, Int8Code> codes;

  private X86Linears(Map<String, Int8Code> codes) {
    this.codes = codes;
  }

  /// Assembles the code of a row.
  ///
  /// @throws RefusedException if the system gives no memory for code
  public static X86Linears load(CpuRow row) throws RefusedException {
    return load(row, NativeRoutines::load);
  }

  static X86Linears load(CpuRow row, RoutineLoader loader) throws RefusedException {
    Map<String, Int8Code> codes = new LinkedHashMap<>();
    for (PanelFormat format : PanelFormat.table()) {
      codes.put(format.format().id(), Int8Code.load(DotUnit.of(row), format, loader));
    }
    return new X86Linears(codes);
  }

  /// Offers a linear operator.
  public Offer<LinearPacker> offer(LinearSpec spec) {
    Int8Code code = codes.get(spec.weights().id());
    if (code == null || !code.format().format().equals(spec.weights())) {
      return Offer.declined(
          "no kernel for weight format "
              + spec.weights()
              + ": "
              + String.join(", ", codes.keySet()));
    }
    Numerics numerics = code.format().numerics();
    if (!spec.tolerated().contains(numerics)) {
      return Offer.declined(
          "activations are rounded (" + numerics + "), and the spec tolerates " + spec.tolerated());
    }
    LinearPacker packer =
        (stacked, allocator, workers) ->
            new X86Linear(
                spec,
                code,
                PanelWeights.pack(
                    code.format(),
                    code.unit().layout(code.format()),
                    spec,
                    stacked,
                    allocator,
                    workers));
    return Offer.accepted(packer, new Variant(name(code), 1, numerics));
  }

  private static String name(Int8Code code) {
    return code.format().format().id().toLowerCase(Locale.ROOT) + "-" + code.unit().row();
  }
}
