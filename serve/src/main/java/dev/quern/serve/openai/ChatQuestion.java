package dev.quern.serve.openai;

import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatCompletion;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.chat.ChatReply;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.function.Consumer;

/// A conversation to reply to.
///
/// @param parallel whether the reply may call several tools: otherwise it has its first call alone
record ChatQuestion(ChatEngine chat, ChatRequest request, boolean parallel)
    implements Answers.Question {
  @Override
  public Answers.Running ask(Consumer<Piece> listener) {
    ChatCompletion completion = chat.submit(request, listener);
    return new Answers.Running() {
      @Override
      public Answers.Ended await() throws InterruptedException {
        ChatReply reply = completion.await();
        List<ToolCall> calls = reply.toolCalls();
        return new Answers.Ended(
            reply.generation(),
            parallel || calls.isEmpty() ? calls : List.of(calls.getFirst()),
            reply.promptTokens(),
            reply.cachedTokens());
      }

      @Override
      public void cancel() {
        completion.cancel();
      }
    };
  }
}
