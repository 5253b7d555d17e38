package dev.quern.conformance;

import dev.quern.QuernException;

/// A deep run can't go on from its file; the message is one line for the user.
///
/// @since 0.1
/// @stability api
public final class DeepException extends QuernException {
  private static final long serialVersionUID = 1;

  DeepException(String message, Throwable cause) {
    super(message, cause);
  }
}
