package dev.quern.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.quern.llama.Cancellation;
import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatCompletion;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.chat.ChatReply;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A reply on its way to a handler, which hears all of it on one thread. What a handler throws goes
/// to its own `onError`, and the reply goes on: so LangChain4j has it, whose utilities call it.
final class Stream implements StreamingHandle, ChatListener {
  private final QuernModel model;
  private final StreamingChatResponseHandler handler;
  private final Cancellation cancellation;
  private final ExecutorService calls =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("quern-streaming-chat").factory());

  private PartialToolCall.Builder begun; // the call that comes, on the thread that tells of it

  Stream(QuernModel model, StreamingChatResponseHandler handler, Cancellation cancellation) {
    this.model = model;
    this.handler = handler;
    this.cancellation = cancellation;
  }

  /// Submits a request, and tells the handler how it ends.
  ///
  /// @throws UnsupportedFeatureException which LangChain4j's tests want thrown, and not told
  void follow(Callable<ChatCompletion> submission) {
    ChatCompletion completion;
    try {
      completion = Failures.mapping(submission);
    } catch (UnsupportedFeatureException e) { // rethrown: only the handler's thread is ended here
      calls.shutdown();
      throw e;
    } catch (RuntimeException e) { // told to whoever waits for the reply
      calls.execute(() -> failed(e));
      calls.shutdown();
      return;
    }
    Thread.ofVirtual()
        .name("quern-streaming-end")
        .start(() -> {
          try {
            ChatReply reply = Failures.mapping(completion::await);
            calls.execute(() -> ended(reply));
          } catch (RuntimeException | Error e) { // likewise
            calls.execute(() -> failed(e));
          } finally {
            calls.shutdown();
          }
        });
  }

  @Override
  public void text(Piece piece) {
    tell(() ->
        InternalStreamingChatResponseHandlerUtils.onPartialResponse(handler, piece.text(), this));
  }

  @Override
  public void thought(Piece piece) {
    tell(() ->
        InternalStreamingChatResponseHandlerUtils.onPartialThinking(handler, piece.text(), this));
  }

  @Override
  public void callBegins(int index, String id, String name) {
    begun = PartialToolCall.builder().index(index).id(id).name(name);
  }

  @Override
  public void callArguments(int index, String part) {
    PartialToolCall call = begun.partialArguments(part).build();
    tell(() -> InternalStreamingChatResponseHandlerUtils.onPartialToolCall(handler, call, this));
  }

  @Override
  public void callEnds(int index, ToolCall call) {
    CompleteToolCall whole = new CompleteToolCall(index, Replies.request(call));
    tell(() -> InternalStreamingChatResponseHandlerUtils.onCompleteToolCall(handler, whole));
  }

  private void tell(Runnable call) {
    calls.execute(() -> {
      if (!isCancelled()) {
        call.run();
      }
    });
  }

  private void ended(ChatReply reply) {
    if (isCancelled()) {
      return;
    }
    ChatResponse response;
    try {
      response = Replies.mapped(model, reply);
    } catch (RuntimeException e) { // it was cut off
      failed(e);
      return;
    }
    InternalStreamingChatResponseHandlerUtils.onCompleteResponse(handler, response);
  }

  private void failed(Throwable failure) {
    if (!isCancelled()) {
      InternalStreamingChatResponseHandlerUtils.withLoggingExceptions(
          () -> handler.onError(failure));
    }
  }

  @Override
  public void cancel() {
    cancellation.cancel();
  }

  @Override
  public boolean isCancelled() {
    return cancellation.isCancelled();
  }
}
