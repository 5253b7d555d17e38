package dev.quern.measure.report;

import dev.quern.QuernException;

/// Runs from which no report may be made; the message is one line for the user.
public final class ReportException extends QuernException {
  private static final long serialVersionUID = 1L;

  ReportException(String message) {
    super(message);
  }
}
