package dev.quern.llama.chat;

import dev.quern.llama.Completion;
import dev.quern.llama.Generation;

/// A request that a [ChatEngine] has taken.
///
/// @since 0.1
/// @stability api
public final class ChatCompletion {
  private final Completion completion;
  private final ReplyReader reader;
  private final int promptTokens;

  ChatCompletion(Completion completion, ReplyReader reader, int promptTokens) {
    this.completion = completion;
    this.reader = reader;
    this.promptTokens = promptTokens;
  }

  /// Waits until the request has ended and the listener has heard all of it.
  ///
  /// @throws RuntimeException what ended it: a [dev.quern.QuernException], or what the listener or
  ///   a logits hook threw
  /// @throws InterruptedException if this thread is interrupted; the request goes on
  public ChatReply await() throws InterruptedException {
    Generation generation = completion.await();
    return new ChatReply(
        reader.text(),
        reader.thoughts(),
        reader.calls(),
        reader.thoughtTokens(),
        generation,
        promptTokens,
        generation.cachedTokens(promptTokens));
  }

  /// Whether it has ended and was heard.
  public boolean isDone() {
    return completion.isDone();
  }

  /// Ends the request with [dev.quern.llama.StopReason#CANCELLED], before the engine's next step.
  public void cancel() {
    completion.cancel();
  }
}
