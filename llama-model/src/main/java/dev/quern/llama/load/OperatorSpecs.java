package dev.quern.llama.load;

import dev.quern.Kernels;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.AttentionShape;
import dev.quern.llama.checkpoint.Family;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.LocalLayers;
import dev.quern.llama.forward.ByReach;
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
import java.util.stream.IntStream;

/// What a model asks of the operators without weights; [WeightPlan] knows the linear ones.
public record OperatorSpecs(
    RmsNormSpec norm,
    Optional<HeadNorms<RmsNormSpec>> headNorms,
    RopeSpec ropeQueries,
    RopeSpec ropeKeys,
    ByReach<AttentionSpec> attention,
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
        Optional.of(headNorms).filter(_ -> config.family().has(Family.Trait.HEAD_NORMS)),
        RopeSpec.of(config.heads(), headDim, pairing),
        RopeSpec.of(config.kvHeads(), headDim, pairing),
        attention(config, context, kv),
        SwiGluSpec.of(config.hidden()).withActivation(config.family().activation()));
  }

  /// That of the layers that a model has.
  private static ByReach<AttentionSpec> attention(LlamaConfig config, int context, KvFormat kv) {
    AttentionShape shape = config.attention();
    AttentionSpec all =
        AttentionSpec.of(shape.heads(), shape.kvHeads(), shape.headDim(), context, kv)
            .withScale(shape.scale())
            .withSoftCap(shape.softCap());
    AttentionSpec windowed = all.withWindow(shape.local().map(LocalLayers::window).orElse(0));
    long local = IntStream.range(0, config.layers()).filter(config::isLocal).count();
    return ByReach.of(local == config.layers() ? windowed : all, local == 0 ? all : windowed);
  }

  /// Asks for a kernel for each.
  public ForwardPass.Operators choose(Kernels kernels) {
    return new ForwardPass.Operators(
        kernels.rmsNorm(norm),
        headNorms.map(norms -> norms.map(kernels::rmsNorm)),
        kernels.rope(ropeQueries),
        kernels.rope(ropeKeys),
        attention.map(kernels::attention),
        kernels.swiGlu(swiGlu));
  }

  /// In the order in which [#choose] asks.
  public List<Object> all() {
    List<Object> all = new ArrayList<>(List.of(norm));
    headNorms.ifPresent(norms -> all.addAll(List.of(norms.queries(), norms.keys())));
    all.addAll(List.of(ropeQueries, ropeKeys));
    all.addAll(attention.distinct());
    all.add(swiGlu);
    return all;
  }
}
