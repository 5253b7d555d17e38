package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.text.Printable;
import dev.quern.op.RopePairing;
import java.util.Locale;
import java.util.OptionalDouble;

/// The shape of a Llama model, or one of a family that computes alike.
///
/// @param family which one
/// @param name the model's name, for people: one line, safe to print
/// @param layers transformer blocks
/// @param width elements of the residual stream
/// @param hidden elements of the feed-forward network's inner layer
/// @param attention heads, and what they see
/// @param contextLength positions that the model was trained for
/// @param normEpsilon epsilon of RMSNorm
/// @param rope what RoPE turns, and by how much; [#localRope()] may differ
/// @param multipliers of embeddings, blocks and logits
/// @param vocabulary number of tokens
/// @since 0.1
/// @stability api
public record LlamaConfig(
    Family family,
    String name,
    int layers,
    int width,
    int hidden,
    AttentionShape attention,
    int contextLength,
    float normEpsilon,
    RopeShape rope,
    Multipliers multipliers,
    int vocabulary) {

  public LlamaConfig {
    name = Printable.cut(Printable.escaped(name), MAX_NAME);
    if (!(normEpsilon > 0)
        || Float.isInfinite(normEpsilon)) { // as read it may be too large for F32
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: the epsilon of RMSNorm is %s as F32, expected a positive finite number",
              normEpsilon));
    }
  }

  private static final int MAX_NAME = 200;

  /// What numbers of a model may be: wide around all that there are, and such that nothing that is
  /// computed from them overflows F32.
  static final double MIN_EPSILON = 1e-30;

  static final double MAX_EPSILON = 1;
  static final double MIN_ROPE_BASE = 1;
  static final double MAX_ROPE_BASE = 1e12;
  static final double MIN_ROPE_FACTOR = 1e-6;
  static final double MAX_ROPE_FACTOR = 1e6;
  static final double DEFAULT_ROPE_BASE = 10_000;
  static final int MAX_CONTEXT = 1 << 24;

  /// Bounds of factors and soft caps.
  static final double MIN_FACTOR = 1e-6;

  static final double MAX_FACTOR = 1e6;

  /// Query heads.
  public int heads() {
    return attention.heads();
  }

  /// Key/value heads; divides [#heads()].
  public int kvHeads() {
    return attention.kvHeads();
  }

  /// Elements of a head; not always `width / heads`.
  public int headDim() {
    return attention.headDim();
  }

  /// Elements of all query heads of a row.
  public int queryWidth() {
    return heads() * headDim();
  }

  /// Elements of all key heads (or value heads) of a row.
  public int kvWidth() {
    return kvHeads() * headDim();
  }

  /// Whether a layer's queries see a window of positions.
  ///
  /// @param layer from 0
  public boolean isLocal(int layer) {
    return attention.local().isPresent() && attention.local().get().contains(layer);
  }

  /// RoPE of local layers: where they have a base of their own, that one, and no scaling.
  public RopeShape localRope() {
    OptionalDouble base =
        attention.local().map(LocalLayers::ropeBase).orElse(OptionalDouble.empty());
    return base.isEmpty()
        ? rope
        : new RopeShape(rope.dim(), base.getAsDouble(), RopeScaling.none());
  }

  /// Whether RoPE turns queries and keys of a layer: in some families a layer in four has none.
  ///
  /// @param layer from 0
  public boolean rotates(int layer) {
    int period = family.unrotatedPeriod();
    return period == 0 || (layer + 1) % period != 0;
  }

  /// Whether RoPE turns a part of each head only, and pairs within it are halves: the kernels pair
  /// halves of a whole head, so rows of Q and K are put in another order as they are loaded.
  public boolean rotatesPartInHalves() {
    return rope.dim() < headDim() && family.pairing() == RopePairing.HALF_SPLIT;
  }
}
