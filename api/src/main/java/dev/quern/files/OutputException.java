package dev.quern.files;

import java.io.IOException;

/// A file that can't be written; the message is one line for the user.
public final class OutputException extends IOException {
  private static final long serialVersionUID = 1L;

  OutputException(String message) {
    super(message);
  }

  OutputException(String message, Throwable cause) {
    super(message, cause);
  }
}
