package dev.quern.llama.forward;

import java.util.function.Function;

/// What norms each head by itself before it is rotated (QK-norm, Henry et al. 2020), in families
/// that have it: specs, kernels or weights.
///
/// @param <T> which of these
/// @param queries of the query heads
/// @param keys of the key heads
public record HeadNorms<T>(T queries, T keys) {

  /// The same of another kind.
  public <R> HeadNorms<R> map(Function<T, R> change) {
    return new HeadNorms<>(change.apply(queries), change.apply(keys));
  }
}
