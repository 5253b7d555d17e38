package dev.quern;

import dev.quern.text.OneLine;
import java.util.Objects;

/// Why a provider that was asked first does not run a spec.
///
/// @param provider its name
/// @param reason what it said, or how its offer was broken
/// @since 0.1
/// @stability api
public record Refusal(String provider, String reason) {
  public Refusal {
    Objects.requireNonNull(provider, "provider");
    reason = OneLine.of(Objects.requireNonNull(reason, "reason"));
  }
}
