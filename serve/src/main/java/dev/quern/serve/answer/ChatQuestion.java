package dev.quern.serve.answer;

import dev.quern.llama.chat.ChatCompletion;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.chat.ChatReply;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;

/// A conversation to reply to.
///
/// @param parallel whether the reply may call several tools: otherwise it has its first call alone
public record ChatQuestion(ChatEngine chat, ChatRequest request, boolean parallel)
    implements Answers.Question {
  @Override
  public Answers.Running ask(ChatListener listener) {
    ChatCompletion completion = chat.submit(request, parallel ? listener : new FirstCall(listener));
    return new Answers.Running() {
      @Override
      public Answers.Ended await() throws InterruptedException {
        ChatReply reply = completion.await();
        List<ToolCall> calls = reply.toolCalls();
        return new Answers.Ended(
            reply.generation(),
            reply.thoughts(),
            reply.thoughtTokens(),
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
