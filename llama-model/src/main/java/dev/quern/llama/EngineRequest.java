package dev.quern.llama;

import dev.quern.llama.tokenizer.ChatPrompt;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/// What an [Engine] is asked for. Made by [#of] and changed by the `with` methods; the constructor
/// grows with them and is no promise.
///
/// @param prompt token ids, taken as they are
/// @param options how to continue; its cancellation, if it has one, ends the request too
/// @param deadline how long the request may take, from its submission; when it is over the request
///   ends with [StopReason#DEADLINE]
/// @since 0.1
/// @stability api
public record EngineRequest(int[] prompt, GenerationOptions options, Optional<Duration> deadline) {
  public EngineRequest {
    prompt = prompt.clone();
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(deadline, "deadline");
  }

  /// A request without a deadline.
  public static EngineRequest of(int[] prompt, GenerationOptions options) {
    return new EngineRequest(prompt, options, Optional.empty());
  }

  /// A request for the reply to a conversation.
  public static EngineRequest of(ChatPrompt prompt, GenerationOptions options) {
    return of(prompt.tokens(), options);
  }

  public EngineRequest withDeadline(Duration deadline) {
    return withDeadline(Optional.of(deadline));
  }

  /// @param deadline empty for none
  public EngineRequest withDeadline(Optional<Duration> deadline) {
    return new EngineRequest(prompt, options, deadline);
  }

  @Override
  public int[] prompt() {
    return prompt.clone();
  }
}
