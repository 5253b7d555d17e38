package dev.quern;

/// What was asked for can't run. The message says why, what would help, and what was found.
///
/// @since 0.1
/// @stability api
public final class SelectionException extends QuernException {
  private static final long serialVersionUID = 1L;

  SelectionException(String message) {
    super(message);
  }

  SelectionException(String message, Throwable cause) {
    super(message, cause);
  }
}
