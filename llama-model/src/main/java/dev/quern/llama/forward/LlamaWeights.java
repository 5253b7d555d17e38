package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import java.util.List;
import java.util.Optional;

/// A loaded model's weights, as kernels. Shapes as in [dev.quern.llama.checkpoint.LlamaConfig].
///
/// @param embedding decodes rows of the embedding matrix `[vocabulary, width]`
/// @param layers transformer blocks, in order
/// @param outputNorm `[1, width]`
/// @param output width to vocabulary
public record LlamaWeights(
    Embedding embedding, List<Layer> layers, F32Matrix outputNorm, Projection output) {

  /// One transformer block.
  ///
  /// @param attentionNorm `[1, width]`
  /// @param qkv width to `queryWidth + 2 * kvWidth`
  /// @param headNorms `[1, headDim]` each, where the family norms heads
  /// @param attentionOutput queryWidth to width, and how it is added to the residual stream
  /// @param feedForwardNorm `[1, width]`
  /// @param gateUp width to `2 * hidden`
  /// @param down hidden to width, and how it is added to the residual stream
  public record Layer(
      F32Matrix attentionNorm,
      Projection qkv,
      Optional<HeadNorms<F32Matrix>> headNorms,
      BlockOutput attentionOutput,
      F32Matrix feedForwardNorm,
      Projection gateUp,
      BlockOutput down) {}

  /// Decodes rows of the embedding matrix from where it lies.
  public interface Embedding {
    /// Writes the embedding of `token`, times what the family multiplies it with, to row `row` of
    /// x.
    void decode(int token, F32Matrix x, int row);
  }
}
