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

  /// Of families whose matrices are fused: another `ffn_up` than that of [#LAYER], of twice the
  /// rows.
  private static final List<Row> FUSED =
      List.of(
          new Row("attn_qkv", "self_attn.qkv_proj", ""), new Row("ffn_up", "mlp.gate_up_proj", ""));

  private static final List<Row> IN_LAYER = Stream.concat(LAYER.stream(), FUSED.stream()).toList();

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

  /// GGUF's stem for one of these names, if it is one.
  Optional<String> toGguf(String stem) {
    Matcher inLayer = layer.matcher(stem);
    return inLayer.matches()
        ? find(IN_LAYER, own, inLayer.group(2)).map(r -> "blk." + inLayer.group(1) + "." + r.gguf())
        : find(MODEL, own, stem).map(Row::gguf);
  }

  /// The name for a stem of GGUF's, for messages.
  String fromGguf(String stem) {
    return fromGguf(stem, LAYER);
  }

  /// The name for a stem of GGUF's in a model of that family, for messages.
  String fromGguf(String stem, Family family) {
    return fromGguf(stem, family.fused() ? IN_LAYER.reversed() : LAYER);
  }

  private String fromGguf(String stem, List<Row> inLayer) {
    if (!stem.startsWith("blk.")) {
      return find(MODEL, Row::gguf, stem).map(own).orElse(stem);
    }
    String[] parts = stem.split("\\.", 3);
    return find(inLayer, Row::gguf, parts[2])
        .map(r -> layers + parts[1] + "." + own.apply(r))
        .orElse(stem);
  }

  private static Optional<Row> find(List<Row> table, Function<Row, String> column, String stem) {
    return table.stream().filter(r -> column.apply(r).equals(stem)).findFirst();
  }
}
