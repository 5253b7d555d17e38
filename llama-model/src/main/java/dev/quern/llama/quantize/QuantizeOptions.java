package dev.quern.llama.quantize;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// How to quantize a model.
///
/// @param scheme of the matrices
/// @param group weights of a block of `int4-block`: 32, 64, 128 or 256
/// @param classifier scheme of the classifier; empty: what the scheme suggests
/// @param embedding scheme of the embedding; empty: what the scheme suggests
/// @since 0.1
/// @stability api
public record QuantizeOptions(
    WeightScheme scheme,
    int group,
    Optional<WeightScheme> classifier,
    Optional<WeightScheme> embedding) {

  public QuantizeOptions {
    Objects.requireNonNull(scheme, "scheme");
    Objects.requireNonNull(classifier, "classifier");
    Objects.requireNonNull(embedding, "embedding");
    WeightScheme.of("int4-block").format(group); // refuses a group that no format has
  }

  /// The scheme with what it suggests.
  public static QuantizeOptions of(String scheme, int group) {
    return new QuantizeOptions(WeightScheme.of(scheme), group, Optional.empty(), Optional.empty());
  }

  /// For people: `int4-block 32, classifier int8-channel, embedding int8-channel`.
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%s, classifier %s, embedding %s",
        named(scheme),
        named(classifier.orElse(WeightScheme.of(scheme.classifier()))),
        named(embedding.orElse(WeightScheme.of(scheme.embedding()))));
  }

  private String named(WeightScheme s) {
    return s.takesGroup() ? s.name() + " " + group : s.name();
  }
}
