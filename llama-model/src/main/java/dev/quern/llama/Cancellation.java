package dev.quern.llama;

/// Ends generations that were told of it by [GenerationOptions#withCancellation(Cancellation)],
/// whether they run already or begin later: a call that comes too early is not lost, as it is with
/// [LlamaSession#cancel()]. Once cancelled, it stays so. For any threads.
///
/// @since 0.1
/// @stability api
public final class Cancellation {
  private volatile boolean cancelled;

  public Cancellation() {}

  /// Ends them before their next token, or the next batch of their prompt.
  public void cancel() {
    cancelled = true;
  }

  /// Whether [#cancel()] was called.
  public boolean isCancelled() {
    return cancelled;
  }
}
