package dev.quern.llama.checkpoint;

/// Shapes of published models.
public final class Shapes {
  /// Llama 3.2 1B's.
  public static final LlamaConfig ONE_B =
      new LlamaConfig(
          Family.LLAMA,
          "1b",
          16,
          2048,
          8192,
          AttentionShape.of(32, 8, 64),
          131_072,
          1e-5f,
          new RopeShape(64, 500_000, RopeScaling.none()),
          Multipliers.NONE,
          128_256);

  private Shapes() {}
}
