package dev.quern.serve.answer;

import dev.quern.llama.Completion;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.chat.ChatListener;
import dev.quern.serve.model.LoadedModel;
import java.util.List;

/// A prompt of tokens to continue.
public record TextQuestion(LoadedModel model, EngineRequest request) implements Answers.Question {
  @Override
  public Answers.Running ask(ChatListener listener) {
    Completion completion = model.engine().submitPieces(request, listener::text);
    return new Answers.Running() {
      @Override
      public Answers.Ended await() throws InterruptedException {
        Generation generation = completion.await();
        int prompt = request.prompt().length;
        return new Answers.Ended(
            generation, "", 0, List.of(), prompt, generation.cachedTokens(prompt));
      }

      @Override
      public void cancel() {
        completion.cancel();
      }
    };
  }
}
