package dev.quern.provider.vector.packed;

import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.util.List;

/// What packed weights of a format are multiplied with: one row of x as the format does it, several
/// in one of two arithmetics.
///
/// @param format of the panels
/// @param several the variant for several rows
/// @param maker makes its kernel
public record PanelKernels(PanelFormat format, Variant several, Maker maker) {
  /// Makes the kernel for several rows.
  @FunctionalInterface
  public interface Maker {
    SeveralRows make(LinearSpec spec, Panels panels);
  }

  /// Several rows in F32.
  public static PanelKernels f32(PanelFormat format) {
    return new PanelKernels(
        format, new Variant("f32-panel-gemm", 2, Numerics.EXACT_F32), F32Rows::new);
  }

  /// Several rows in int16: only values of 4 bits leave room for sums in a short.
  public static PanelKernels int16(Int4Panels format) {
    return new PanelKernels(
        format,
        new Variant("int16-panel-gemm", 2, Numerics.INT8_SYM_32),
        (spec, panels) -> new Int16Rows(spec, panels, format));
  }

  /// The variants of the offer.
  public List<Variant> variants() {
    return List.of(new Variant(format.dotName(), 1, format.dotNumerics()), several);
  }

  /// Packs weights for these kernels.
  public LinearPacker packer(LinearSpec spec) {
    return (stacked, allocator, workers) -> {
      Panels panels =
          Panels.pack(format, spec.outputs(), spec.inputs(), stacked, allocator, workers);
      return new PanelLinear(spec, panels, maker.make(spec, panels));
    };
  }
}
