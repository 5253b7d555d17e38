package dev.quern.benchmarks;

import dev.quern.QuernException;

/// A comparison, or a chart of some, can't go on; the message is for the user.
final class CompareException extends QuernException {
  private static final long serialVersionUID = 1L;

  CompareException(String message) {
    super(message);
  }

  CompareException(String message, Throwable cause) {
    super(message, cause);
  }
}
