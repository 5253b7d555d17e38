package dev.quern.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/// What a handler heard of a reply, and on which threads.
final class Heard implements StreamingChatResponseHandler {
  final StringBuffer text = new StringBuffer();
  final StringBuffer thoughts = new StringBuffer();
  final List<CompleteToolCall> calls = Collections.synchronizedList(new ArrayList<>());
  final List<PartialToolCall> parts = Collections.synchronizedList(new ArrayList<>());
  final Set<Thread> threads = Collections.synchronizedSet(new HashSet<>());
  final CompletableFuture<StreamingHandle> handle = new CompletableFuture<>();
  final CompletableFuture<ChatResponse> end = new CompletableFuture<>();
  volatile int pieces;
  volatile Runnable onFirstPiece = () -> {};

  @Override
  public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
    threads.add(Thread.currentThread());
    text.append(piece.text());
    pieces = pieces + 1; // on one thread
    handle.complete(context.streamingHandle());
    if (pieces == 1) {
      onFirstPiece.run();
    }
  }

  @Override
  public void onPartialThinking(PartialThinking part) {
    threads.add(Thread.currentThread());
    thoughts.append(part.text());
  }

  @Override
  public void onPartialToolCall(PartialToolCall part) {
    threads.add(Thread.currentThread());
    parts.add(part);
  }

  @Override
  public void onCompleteToolCall(CompleteToolCall call) {
    threads.add(Thread.currentThread());
    calls.add(call);
  }

  @Override
  public void onCompleteResponse(ChatResponse response) {
    threads.add(Thread.currentThread());
    end.complete(response);
  }

  @Override
  public void onError(Throwable error) {
    threads.add(Thread.currentThread());
    end.completeExceptionally(error);
  }

  ChatResponse response() {
    return end.join();
  }

  Throwable failure() {
    try {
      throw new AssertionError("no failure, but " + end.get());
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
