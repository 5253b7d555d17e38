package dev.quern.llama.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What the same tensors are called: by GGUF, by Hugging Face (`LlamaForCausalLM` and the classes
/// of other families), and by Meta's own code, which has no names for what Llama has not. Names are
/// stems here, without `.weight` or `.bias`.
enum TensorNames {
  /// Query and key rows are in the order for rotating halves: element j of a head is paired with
  /// element `j + headDim / 2`.
  HUGGING_FACE(Row::huggingFace, "model\\.layers\\.(0|[1-9]\\d{0,3})\\.(.+)", "model.layers."),
  /// The same of families with norms behind the blocks: `post_attention_layernorm` is one of these,
  /// and no other name of the norm before the feed-forward network.
  POST_NORMS(Row::huggingFace, HUGGING_FACE.layer.pattern(), HUGGING_FACE.layers),
  /// The same of families whose matrices are fused: another `ffn_up`, of twice the rows.
  FUSED(Row::huggingFace, HUGGING_FACE.layer.pattern(), HUGGING_FACE.layers),
  /// Query and key rows are in the order for rotating neighbours, as in GGUF's `llama`.
  META(Row::meta, "layers\\.(0|[1-9]\\d{0,3})\\.(.+)", "layers.");

  /// One tensor, in the three languages.
  private record Row(String gguf, String huggingFace, String meta) {}

  private static final List<Row> MODEL =
      List.of(
          new Row("token_embd", "model.embed_tokens", "tok_embeddings"),
          new Row("output_norm", "model.norm", "norm"),
          new Row("output", "lm_head", "output"));

  private static final List<Row> LAYER =
      List.of(
          new Row("attn_norm", "input_layernorm", "attention_norm"),
          new Row("attn_q", "self_attn.q_proj", "attention.wq"),
          new Row("attn_q_norm", "self_attn.q_norm", ""),
          new Row("attn_k", "self_attn.k_proj", "attention.wk"),
          new Row("attn_k_norm", "self_attn.k_norm", ""),
          new Row("attn_v", "self_attn.v_proj", "attention.wv"),
          new Row("attn_output", "self_attn.o_proj", "attention.wo"),
          new Row("ffn_norm", "post_attention_layernorm", "ffn_norm"),
          new Row("ffn_gate", "mlp.gate_proj", "feed_forward.w1"),
          new Row("ffn_down", "mlp.down_proj", "feed_forward.w2"),
          new Row("ffn_up", "mlp.up_proj", "feed_forward.w3"));

  /// What [#FUSED] has first.
  private static final List<Row> FUSED_MATRICES =
      List.of(
          new Row("attn_qkv", "self_attn.qkv_proj", ""), new Row("ffn_up", "mlp.gate_up_proj", ""));

  /// What [#POST_NORMS] has first.
  private static final List<Row> BEHIND_BLOCKS =
      List.of(
          new Row("post_attention_norm", "post_attention_layernorm", ""),
          new Row("ffn_norm", "pre_feedforward_layernorm", ""),
          new Row("post_ffw_norm", "post_feedforward_layernorm", ""));

  private final Function<Row, String> own;
  private final Pattern layer;
  private final String layers;

  TensorNames(Function<Row, String> own, String layer, String layers) {
    this.own = own;
    this.layer = Pattern.compile(layer);
    this.layers = layers;
  }

  /// The naming that has this stem for the embedding matrix.
  static Optional<TensorNames> byEmbedding(Function<String, Boolean> hasStem) {
    return Stream.of(values()).filter(n -> hasStem.apply(n.own.apply(MODEL.get(0)))).findFirst();
  }

  /// The naming that a family has among those of the same embedding matrix.
  TensorNames of(Family family) {
    if (this != HUGGING_FACE) {
      return this;
    }
    return family.has(Family.Trait.POST_NORMS)
        ? POST_NORMS
        : family.has(Family.Trait.FUSED) ? FUSED : HUGGING_FACE;
  }

  /// GGUF's stem for one of these names, if it is one.
  Optional<String> toGguf(String stem) {
    Matcher inLayer = layer.matcher(stem);
    return inLayer.matches()
        ? find(layerRows(), own, inLayer.group(2))
            .map(r -> "blk." + inLayer.group(1) + "." + r.gguf())
        : find(MODEL, own, stem).map(Row::gguf);
  }

  /// The name for a stem of GGUF's, for messages.
  String fromGguf(String stem) {
    if (!stem.startsWith("blk.")) {
      return find(MODEL, Row::gguf, stem).map(own).orElse(stem);
    }
    String[] parts = stem.split("\\.", 3);
    return find(layerRows(), Row::gguf, parts[2])
        .map(r -> layers + parts[1] + "." + own.apply(r))
        .orElse(stem);
  }

  private List<Row> layerRows() {
    List<Row> own =
        switch (this) {
          case POST_NORMS -> BEHIND_BLOCKS;
          case FUSED -> FUSED_MATRICES;
          case HUGGING_FACE, META -> List.of();
        };
    return Stream.concat(own.stream(), LAYER.stream()).toList();
  }

  private static Optional<Row> find(List<Row> table, Function<Row, String> column, String stem) {
    return table.stream().filter(r -> column.apply(r).equals(stem)).findFirst();
  }
}
