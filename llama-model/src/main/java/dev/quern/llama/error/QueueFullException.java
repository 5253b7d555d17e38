package dev.quern.llama.error;

import dev.quern.Blame;

/// A request that was not taken, since as many wait as may. Later it may be.
///
/// @since 0.1
/// @stability api
public final class QueueFullException extends LlamaException {
  private static final long serialVersionUID = 1L;

  public QueueFullException(String message) {
    super(message, Blame.BUSY);
  }
}
