package dev.quern.llama.load;

import dev.quern.Kernels;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.op.AttentionSpec;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import java.util.List;

/// What a model asks of the operators without weights; [WeightPlan] knows the linear ones.
public record OperatorSpecs(
    RmsNormSpec norm,
    RopeSpec ropeQueries,
    RopeSpec ropeKeys,
    AttentionSpec attention,
    SwiGluSpec swiGlu) {

  /// @param context positions of the KV cache
  public static OperatorSpecs of(LlamaConfig config, int context, KvFormat kv) {
    int headDim = config.headDim();
    RopePairing pairing = RopePairing.ADJACENT; // the order of a Checkpoint's rows
    return new OperatorSpecs(
        RmsNormSpec.of(config.width(), config.normEpsilon()),
        RopeSpec.of(config.heads(), headDim, pairing),
        RopeSpec.of(config.kvHeads(), headDim, pairing),
        AttentionSpec.of(config.heads(), config.kvHeads(), headDim, context, kv),
        SwiGluSpec.of(config.hidden()));
  }

  /// The same for batches of several sequences.
  public OperatorSpecs withSequences(int sequences) {
    return new OperatorSpecs(
        norm, ropeQueries, ropeKeys, attention.withSequences(sequences), swiGlu);
  }

  /// Asks for a kernel for each.
  public ForwardPass.Operators choose(Kernels kernels) {
    return new ForwardPass.Operators(
        kernels.rmsNorm(norm),
        kernels.rope(ropeQueries),
        kernels.rope(ropeKeys),
        kernels.attention(attention),
        kernels.swiGlu(swiGlu));
  }

  /// In the order in which [#choose] asks.
  public List<Object> all() {
    return List.of(norm, ropeQueries, ropeKeys, attention, swiGlu);
  }
}
