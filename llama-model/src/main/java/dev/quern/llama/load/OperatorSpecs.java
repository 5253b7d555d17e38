package dev.quern.llama.load;

import dev.quern.Kernels;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.HeadNorms;
import dev.quern.op.AttentionSpec;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a model asks of the operators without weights; [WeightPlan] knows the linear ones.
public record OperatorSpecs(
    RmsNormSpec norm,
    Optional<HeadNorms<RmsNormSpec>> headNorms,
    RopeSpec ropeQueries,
    RopeSpec ropeKeys,
    AttentionSpec attention,
    SwiGluSpec swiGlu) {

  /// @param context positions of the KV cache
  public static OperatorSpecs of(LlamaConfig config, int context, KvFormat kv) {
    int headDim = config.headDim();
    RopePairing pairing = config.family().pairing();
    RmsNormSpec norm = RmsNormSpec.of(config.width(), config.normEpsilon());
    HeadNorms<RmsNormSpec> headNorms =
        new HeadNorms<>(
            norm.withWidth(config.queryWidth()).withGroups(config.heads()),
            norm.withWidth(config.kvWidth()).withGroups(config.kvHeads()));
    return new OperatorSpecs(
        norm,
        Optional.of(headNorms).filter(_ -> config.family().headNorms()),
        RopeSpec.of(config.heads(), headDim, pairing),
        RopeSpec.of(config.kvHeads(), headDim, pairing),
        AttentionSpec.of(config.heads(), config.kvHeads(), headDim, context, kv),
        SwiGluSpec.of(config.hidden()));
  }

  /// Asks for a kernel for each.
  public ForwardPass.Operators choose(Kernels kernels) {
    return new ForwardPass.Operators(
        kernels.rmsNorm(norm),
        headNorms.map(norms -> norms.map(kernels::rmsNorm)),
        kernels.rope(ropeQueries),
        kernels.rope(ropeKeys),
        kernels.attention(attention),
        kernels.swiGlu(swiGlu));
  }

  /// In the order in which [#choose] asks.
  public List<Object> all() {
    List<Object> all = new ArrayList<>(List.of(norm));
    headNorms.ifPresent(norms -> all.addAll(List.of(norms.queries(), norms.keys())));
    all.addAll(List.of(ropeQueries, ropeKeys, attention, swiGlu));
    return all;
  }
}
