package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// How a block ends: what it adds to the residual stream x of its inner activations a.
///
/// ```
/// Llama    x += a·Wᵀ                       its kernel accumulates
/// Gemma    x += RMSNorm(a·Wᵀ) * weight
/// Granite  x += factor * a·Wᵀ
/// ```
///
/// @param matrix W, which accumulates if and only if there is neither a norm nor a factor
/// @param norm weight of Gemma's norm, `[1, width]`
/// @param factor Granite's; 1 elsewhere
public record BlockOutput(Projection matrix, Optional<F32Matrix> norm, float factor) {

  /// @param a `[rows, inputs]`
  /// @param x `[rows, width]`
  /// @param h `[rows, width]`, overwritten
  void addTo(F32Matrix x, F32Matrix a, F32Matrix h, RmsNormKernel rmsNorm, Workspace w) {
    if (norm.isEmpty() && factor == 1) {
      matrix.apply(a, x, w);
      return;
    }
    matrix.apply(a, h, w);
    if (norm.isPresent()) {
      rmsNorm.apply(h, norm.get(), h, w);
    }
    Elementwise.addScaled(x, factor, h, w.workers());
  }

  /// The same with every kernel wrapped.
  public BlockOutput map(UnaryOperator<Projection> wrap) {
    return new BlockOutput(wrap.apply(matrix), norm, factor);
  }
}
