package dev.quern.cli;

import dev.quern.QuernException;

/// A mistake in what was asked for; the message is one line for the user.
final class UserException extends QuernException {
  private static final long serialVersionUID = 1L;

  UserException(String message) {
    super(message);
  }

  UserException(String message, Throwable cause) {
    super(message, cause);
  }
}
