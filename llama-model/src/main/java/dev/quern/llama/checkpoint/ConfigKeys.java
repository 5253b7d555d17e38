package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.text.Printable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// What the metadata keys about a model's shape mean here, `llama.*` and those of other families. A
/// key that is not in the table might change a model's numbers, so it is refused rather than passed
/// over; so is one that is known to change them in a way that Quern does not compute, unless its
/// value says that it does not.
final class ConfigKeys {
  /// What is done with a key.
  private sealed interface Meaning {}

  /// [GgufConfig] reads and checks it.
  private record Honoured() implements Meaning {}

  /// It changes nothing that is computed here.
  private record Harmless() implements Meaning {}

  /// Refused unless it has one of these values.
  private record Neutral(List<Double> values) implements Meaning {}

  private record NeutralFlag(boolean value) implements Meaning {}

  private record NeutralText(Set<String> values) implements Meaning {}

  /// It depends on whether the family has a trait.
  private record OfTrait(Family.Trait trait, Meaning with, Meaning without) implements Meaning {}

  /// Honoured in families that have both local and global layers.
  private record OfLocalLayers() implements Meaning {}

  private record Row(String key, Meaning meaning) {}

  private static final List<Row> TABLE =
      List.of(
          new Row("block_count", new Honoured()),
          new Row("context_length", new Honoured()),
          new Row("embedding_length", new Honoured()),
          new Row("feed_forward_length", new Honoured()),
          new Row("attention.head_count", new Honoured()),
          new Row("attention.head_count_kv", new Honoured()),
          new Row("attention.key_length", new Honoured()),
          new Row("attention.value_length", new Honoured()),
          new Row("attention.layer_norm_rms_epsilon", new Honoured()),
          new Row("attention.scale", new Honoured()),
          new Row("attention.sliding_window", new Honoured()),
          new Row("attention.sliding_window_pattern", new OfLocalLayers()),
          new Row("rope.freq_base_swa", new OfLocalLayers()),
          new Row("rope.dimension_count", new Honoured()),
          new Row("rope.freq_base", new Honoured()),
          new Row("rope.scaling.type", new Honoured()),
          new Row("rope.scaling.factor", new Honoured()),
          new Row("rope.scale_linear", new Honoured()),
          // The rows of the embedding matrix decide.
          new Row("vocab_size", new Harmless()),
          new Row("rope.scaling.original_context_length", new Honoured()),
          new Row("rope.scaling.attn_factor", new Honoured()),
          new Row("rope.scaling.yarn_ext_factor", new Honoured()),
          new Row("rope.scaling.yarn_beta_fast", new Honoured()),
          new Row("rope.scaling.yarn_beta_slow", new Honoured()),
          // Granite does not rotate where it is false.
          new Row(
              "rope.scaling.finetuned",
              new OfTrait(Family.Trait.MULTIPLIERS, new NeutralFlag(true), new Harmless())),
          // llama.cpp reads it, and then computes another in its place.
          new Row("rope.scaling.yarn_attn_factor", neutral(1)),
          new Row("rope.scaling.yarn_log_multiplier", neutral(0)),
          new Row("rope.freq_scale", neutral(1, 0)),
          new Row("attention.clamp_kqv", neutral(0)),
          new Row("attention.max_alibi_bias", neutral(0)),
          new Row("attention.causal", new NeutralFlag(true)),
          new Row("attention.temperature_scale", neutral(0)),
          new Row("attn_logit_softcapping", honouredOf(Family.Trait.SOFT_CAPS, neutral(0))),
          new Row("final_logit_softcapping", honouredOf(Family.Trait.SOFT_CAPS, neutral(0))),
          new Row("router_logit_softcapping", neutral(0)),
          // 0: not set, as llama.cpp has it.
          new Row("logit_scale", honouredOf(Family.Trait.MULTIPLIERS, neutral(1, 0))),
          new Row("embedding_scale", honouredOf(Family.Trait.MULTIPLIERS, neutral(1, 0))),
          new Row("residual_scale", honouredOf(Family.Trait.MULTIPLIERS, neutral(1, 0))),
          new Row("use_parallel_residual", new NeutralFlag(false)),
          // The order of Q's and K's rows for rotating neighbours.
          new Row(
              "tensor_data_layout", new NeutralText(Set.of("Meta AI original pth", "reference"))),
          new Row("pooling_type", neutral(0)),
          new Row("expert_count", neutral(0)),
          new Row("expert_used_count", neutral(0)),
          new Row("expert_shared_count", neutral(0)),
          new Row("leading_dense_block_count", neutral(0)),
          new Row("nextn_predict_layers", neutral(0)));

  private static final Map<String, Meaning> MEANINGS =
      TABLE.stream().collect(Collectors.toMap(Row::key, Row::meaning));

  private ConfigKeys() {}

  /// @throws LlamaException where a key is refused
  static void check(GgufMetadata metadata, Family family) {
    String prefix = family.key("");
    for (String key : metadata.keys()) {
      if (key.startsWith(prefix)) {
        check(metadata, key, meaning(key.substring(prefix.length()), family));
      } else if (MEANINGS.containsKey(key)) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: metadata key %s, expected it as %s: convert the model again",
                Printable.quoted(key),
                family.key(key)));
      }
    }
  }

  /// What a key means in a family; null where it is in no table.
  private static Meaning meaning(String key, Family family) {
    return switch (MEANINGS.get(key)) {
      case OfTrait(Family.Trait trait, Meaning with, Meaning without) ->
          family.has(trait) ? with : without;
      case OfLocalLayers() ->
          family.local().map(LocalLayers::period).orElse(0) != 0 ? new Honoured() : null;
      case null -> null;
      case Meaning meaning -> meaning;
    };
  }

  private static void check(GgufMetadata metadata, String key, Meaning meaning) {
    switch (meaning) {
      case null ->
          throw new LlamaException(
              String.format(
                  Locale.ROOT,
                  "model: metadata key %s (%s), expected those of a Llama: what it means for the model's numbers is not known here; remove it if it means nothing",
                  Printable.quoted(key),
                  metadata.describe(key)));
      case Honoured(), OfTrait _, OfLocalLayers() -> {} // of [#meaning] the first alone is left
      case Harmless() -> {}
      case Neutral(List<Double> values) -> {
        if (metadata.isArray(key) || !values.contains(metadata.number(key).orElseThrow() + 0.0)) {
          throw refused(metadata, key, values.getFirst().toString());
        }
      }
      case NeutralFlag(boolean value) -> {
        if (metadata.bool(key).orElseThrow() != value) {
          throw refused(metadata, key, Boolean.toString(value));
        }
      }
      case NeutralText(Set<String> values) -> {
        if (!values.contains(metadata.string(key).orElseThrow())) {
          throw refused(metadata, key, "one of " + values);
        }
      }
    }
  }

  private static LlamaException refused(GgufMetadata metadata, String key, String expected) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "model: %s = %s, expected %s, or none: Quern does not compute what it asks for",
            key,
            metadata.describe(key),
            expected));
  }

  private static Meaning honouredOf(Family.Trait trait, Meaning without) {
    return new OfTrait(trait, new Honoured(), without);
  }

  private static Neutral neutral(double... values) {
    return new Neutral(java.util.Arrays.stream(values).boxed().toList());
  }
}
