package dev.quern.llama.checkpoint;

/// Meta's names of tensors, for tests elsewhere.
public final class MetaNames {
  private MetaNames() {}

  /// @param stem GGUF's name without `.weight`
  public static String of(String stem) {
    return TensorNames.META.fromGguf(stem);
  }
}
