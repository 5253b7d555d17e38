package dev.quern.cli.console;

import dev.quern.QuernException;

/// A mistake in what was asked for; the message is one line for the user.
public final class UserException extends QuernException {
  private static final long serialVersionUID = 1L;

  public UserException(String message) {
    super(message);
  }

  public UserException(String message, Throwable cause) {
    super(message, cause);
  }
}
