package dev.quern.serve.answer;

import dev.quern.serve.http.Exchange;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/// Errors in the middle of a stream, whose status is sent: the last event is the error object.
public final class StreamErrors {
  private StreamErrors() {}

  /// What may throw anything.
  @FunctionalInterface
  public interface Action {
    void run() throws Exception;
  }

  /// Runs what writes a stream's rest, and tells the client what it throws.
  ///
  /// @param send sends the error object, in the route's protocol
  public static void telling(Exchange exchange, Consumer<Object> send, Action action) {
    try {
      action.run();
    } catch (UncheckedIOException e) { // nobody is there to be told
      throw e;
    } catch (Exception e) { // told and logged
      send.accept(exchange.failed(e));
    }
  }
}
