package dev.quern.serve.answer;

import dev.quern.llama.Generation;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.model.LoadedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/// The answers to one request: as many as it has prompts and choices of each, all at once.
public final class Answers {
  /// One that is over.
  ///
  /// @param thoughts what the model thought before it spoke; empty where it did not
  /// @param thoughtTokens of the generation's tokens those of the thoughts
  /// @param promptTokens of the whole prompt
  /// @param cachedTokens of these, those that were not run
  public record Ended(
      Generation generation,
      String thoughts,
      int thoughtTokens,
      List<ToolCall> calls,
      int promptTokens,
      int cachedTokens) {}

  /// One that is not.
  public interface Running {
    Ended await() throws InterruptedException;

    void cancel();
  }

  /// Asks an engine.
  @FunctionalInterface
  public interface Question {
    /// @throws dev.quern.QuernException where the engine does not take it
    Running ask(ChatListener listener);
  }

  private final Exchange exchange;
  private final List<Running> running;

  private Answers(Exchange exchange, List<Running> running) {
    this.exchange = exchange;
    this.running = running;
  }

  /// Asks all questions, or none: where one is not taken, those before it are withdrawn. All are
  /// withdrawn too when nobody waits for the answers any more.
  ///
  /// @param listeners given a question's number: who hears its answer
  public static Answers ask(
      Exchange exchange, List<Question> questions, IntFunction<ChatListener> listeners) {
    List<Running> running = new ArrayList<>();
    try {
      for (int i = 0; i < questions.size(); i++) {
        running.add(questions.get(i).ask(listeners.apply(i)));
      }
    } catch (RuntimeException e) {
      running.forEach(Running::cancel);
      throw e;
    }
    exchange.onEnd(() -> running.forEach(Running::cancel));
    return new Answers(exchange, running);
  }

  public int count() {
    return running.size();
  }

  /// Waits for one.
  ///
  /// @throws HttpFailure where it was cut off, by its deadline or since nobody waits any more; all
  ///   are withdrawn then
  public Ended await(int i) throws InterruptedException {
    try {
      Ended ended = running.get(i).await();
      finishReason(ended);
      return ended;
    } catch (RuntimeException e) {
      running.forEach(Running::cancel);
      throw e;
    }
  }

  /// Why an answer is over, in OpenAI's words: `stop`, `tool_calls` or `length`.
  public String finishReason(Ended ended) {
    return switch (ended.generation().stop()) {
      case END_OF_TEXT, STOP_TOKEN, STOP_STRING -> ended.calls().isEmpty() ? "stop" : "tool_calls";
      case MAX_TOKENS, CONTEXT_FULL -> "length";
      case DEADLINE ->
          throw HttpFailure.of(
              504,
              "deadline_exceeded",
              "the request took longer than the server's --deadline, expected fewer tokens, or a larger one");
      case CANCELLED ->
          throw exchange
              .ended()
              .orElseGet(
                  () -> HttpFailure.of(503, "model_closed", "the model was closed, ask again"));
    };
  }

  /// A header that tells which providers run the model, where the request has `X-Quern-Report: 1`.
  public static void report(Exchange exchange, LoadedModel model) {
    exchange
        .header("X-Quern-Report")
        .filter("1"::equals)
        .ifPresent(_ -> exchange.setHeader("Quern-Providers", model.model().report().summary()));
  }
}
