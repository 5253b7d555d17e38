package dev.quern.serve.http;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/// What clients are told of exceptions, and the log of what they are not.
record FailureLog(Failures failures) {
  private static final Logger LOG = System.getLogger("dev.quern.serve");

  HttpFailure logged(Exchange exchange, Throwable thrown) {
    HttpFailure failure = exchange.ended().orElseGet(() -> failures.of(thrown));
    if (failure.status() == 500) {
      LOG.log(Level.ERROR, "request " + exchange.id() + " failed", thrown);
    } else if (failure.status() == 503) { // whoever set the server up has to look
      LOG.log(Level.WARNING, () -> "request " + exchange.id() + ": " + failure.getMessage());
    } else {
      LOG.log(Level.DEBUG, () -> "request " + exchange.id() + ": " + failure.getMessage());
    }
    return failure;
  }
}
