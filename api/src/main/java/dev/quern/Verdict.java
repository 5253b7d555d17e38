package dev.quern;

import java.util.Objects;

/// What became of a provider that was found.
public sealed interface Verdict {
  /// It can run here.
  ///
  /// @param detail what it will use; may be empty
  record Ready(String detail) implements Verdict {
    public Ready {
      Objects.requireNonNull(detail, "detail");
    }
  }

  /// It says that it can't run here.
  ///
  /// @param reason what is missing
  /// @param remedy what the user can do; empty where only other hardware helps
  record Unavailable(String reason, String remedy) implements Verdict {
    public Unavailable {
      Objects.requireNonNull(reason, "reason");
      Objects.requireNonNull(remedy, "remedy");
    }
  }

  /// It is broken, or doesn't fit this version or its neighbours.
  ///
  /// @param reason what is wrong with it
  /// @param remedy what the user can do
  record Rejected(String reason, String remedy) implements Verdict {
    public Rejected {
      Objects.requireNonNull(reason, "reason");
      Objects.requireNonNull(remedy, "remedy");
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
