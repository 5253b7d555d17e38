package dev.quern;

import dev.quern.text.OneLine;
import java.util.Objects;

/// What became of a provider that was found. Its words are in one line each, and not too long.
///
/// @since 0.1
/// @stability api
public sealed interface Verdict {
  /// It can run here.
  ///
  /// @param detail what it will use; may be empty
  record Ready(String detail) implements Verdict {
    public Ready {
      detail = OneLine.of(Objects.requireNonNull(detail, "detail"));
    }
  }

  /// It says that it can't run here.
  ///
  /// @param reason what is missing
  /// @param remedy what the user can do; empty where only other hardware helps
  record Unavailable(String reason, String remedy) implements Verdict {
    public Unavailable {
      reason = OneLine.of(Objects.requireNonNull(reason, "reason"));
      remedy = OneLine.of(Objects.requireNonNull(remedy, "remedy"));
    }
  }

  /// It is broken, or doesn't fit this version or its neighbours.
  ///
  /// @param reason what is wrong with it
  /// @param remedy what the user can do
  record Rejected(String reason, String remedy) implements Verdict {
    public Rejected {
      reason = OneLine.of(Objects.requireNonNull(reason, "reason"));
      remedy = OneLine.of(Objects.requireNonNull(remedy, "remedy"));
    }
  }

  /// One line: the state, the reason and the remedy.
  default String text() {
    return switch (this) {
      case Ready(String detail) -> detail.isEmpty() ? "ready" : "ready: " + detail;
      case Unavailable(String reason, String remedy) -> "unavailable: " + sentence(reason, remedy);
      case Rejected(String reason, String remedy) -> "rejected: " + sentence(reason, remedy);
    };
  }

  private static String sentence(String reason, String remedy) {
    return remedy.isEmpty() ? reason : reason + ". Remedy: " + remedy;
  }
}
