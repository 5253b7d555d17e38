package dev.quern.conformance;

import java.util.List;

/// What was tried of a model's spec; how it went is in the cells of its subject.
///
/// @param model the model, as the user named it
/// @param operator `linear`
/// @param subject what cells call it; no two specs of a run have the same
/// @param spec for people, without the model: `Q4_0 2048+512+512 x 2048`
/// @param tried the calls: `1 row`, `positions to 131,072 of 131,072`
/// @param tooLarge what was left out, and why
/// @since 0.1
/// @stability api
public record ModelResult(
    String model,
    String operator,
    String subject,
    String spec,
    List<String> tried,
    List<String> tooLarge) {
  public ModelResult {
    tried = List.copyOf(tried);
    tooLarge = List.copyOf(tooLarge);
  }
}
