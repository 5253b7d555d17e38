package dev.quern.measure.synthetic;

import dev.quern.data.BlockFormat;
import java.util.List;
import java.util.Optional;

/// Which tensor has which format in a file of one of llama-quantize's types
/// (`llama_tensor_get_type` in llama.cpp's `llama-quant.cpp`, without an importance matrix).
///
/// @param name the type's name, such as `Q4_K_M`
/// @param fileType its number in `general.file_type` (`enum llama_ftype`)
/// @param base format of most matrices
/// @param important format of `attn_v` and `ffn_down` in the layers that get more bits
/// @param output format of the output matrix, which with tied embeddings is the embedding matrix
public record FormatMix(
    String name, int fileType, BlockFormat base, BlockFormat important, BlockFormat output) {
  private static final List<FormatMix> TABLE =
      List.of(
          uniform(0, BlockFormat.F32),
          uniform(1, BlockFormat.F16),
          uniform(32, BlockFormat.BF16),
          uniform(7, BlockFormat.Q8_0),
          mix("Q4_0", 2, BlockFormat.Q4_0, BlockFormat.Q4_0),
          mix("Q4_1", 3, BlockFormat.Q4_1, BlockFormat.Q4_1),
          mix("Q5_0", 8, BlockFormat.Q5_0, BlockFormat.Q5_0),
          mix("Q5_1", 9, BlockFormat.Q5_1, BlockFormat.Q5_1),
          // llama-quantize has Q5_K for attn_v and for ffn_down in the first eighth of the layers.
          mix("IQ4_NL", 25, BlockFormat.IQ4_NL, BlockFormat.IQ4_NL),
          // llama-quantize has no such file of a model without experts.
          new FormatMix("MXFP4", 38, BlockFormat.MXFP4, BlockFormat.MXFP4, BlockFormat.Q8_0),
          // Q4_K for attn_v where four query heads or more share a KV head, Q3_K for attn_output.
          mix("Q2_K", 10, BlockFormat.Q2_K, BlockFormat.Q3_K),
          // Q5_K for attn_v and ffn_down of the first layers, Q4_K for attn_output.
          mix("Q3_K_M", 12, BlockFormat.Q3_K, BlockFormat.Q4_K),
          mix("Q4_K_M", 15, BlockFormat.Q4_K, BlockFormat.Q6_K),
          mix("Q5_K_M", 17, BlockFormat.Q5_K, BlockFormat.Q6_K),
          uniform(18, BlockFormat.Q6_K));

  /// The mix of that name, if there is one.
  public static Optional<FormatMix> byName(String name) {
    return TABLE.stream().filter(m -> m.name.equalsIgnoreCase(name)).findFirst();
  }

  /// All names, for messages.
  public static List<String> names() {
    return TABLE.stream().map(FormatMix::name).toList();
  }

  /// All matrices in the base format, as llama-quantize's `--pure`.
  public FormatMix pure() {
    return new FormatMix(name, fileType, base, base, base);
  }

  /// The format of `attn_v` and `ffn_down` in a layer: the first and the last eighth of the layers
  /// and every third between get more bits (`use_more_bits`).
  BlockFormat important(int layer, int layers) {
    int eighth = layers / 8;
    boolean more =
        layer < eighth || layer >= 7 * layers / 8 || Math.floorMod(layer - eighth, 3) == 2;
    return more ? important : base;
  }

  private static FormatMix uniform(int fileType, BlockFormat format) {
    return new FormatMix(format.id(), fileType, format, format, format);
  }

  private static FormatMix mix(String name, int fileType, BlockFormat base, BlockFormat important) {
    return new FormatMix(name, fileType, base, important, BlockFormat.Q6_K);
  }
}
