package dev.quern.llama.forward;

import java.util.List;
import java.util.function.Function;

/// What global and local layers have each: specs, kernels or angles. One and the same where these
/// layers do not differ, or a model has layers of one kind only.
///
/// @param <T> which of these
/// @param global of layers that see all positions
/// @param local of layers that see a window
public record ByReach<T>(T global, T local) {

  /// One of both where they are equal.
  public static <T> ByReach<T> of(T global, T local) {
    return new ByReach<>(global, global.equals(local) ? global : local);
  }

  /// That of a layer.
  public T of(boolean isLocal) {
    return isLocal ? local : global;
  }

  /// The same of another kind; one of both stays one.
  public <R> ByReach<R> map(Function<T, R> change) {
    R changed = change.apply(global);
    return new ByReach<>(changed, local == global ? changed : change.apply(local));
  }

  /// One or two.
  public List<T> distinct() {
    return local == global ? List.of(global) : List.of(global, local);
  }
}
