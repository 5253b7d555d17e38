package dev.quern.serve.openai;

import dev.quern.llama.Completion;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.serve.model.LoadedModel;
import java.util.List;
import java.util.function.Consumer;

/// A prompt of tokens to continue.
record TextQuestion(LoadedModel model, EngineRequest request) implements Answers.Question {
  @Override
  public Answers.Running ask(Consumer<Piece> listener) {
    Completion completion = model.engine().submitPieces(request, listener::accept);
    return new Answers.Running() {
      @Override
      public Answers.Ended await() throws InterruptedException {
        Generation generation = completion.await();
        int prompt = request.prompt().length;
        int run = generation.promptTokens();
        int cached = run == 0 ? 0 : prompt - run; // at least one is always run
        return new Answers.Ended(generation, List.of(), prompt, cached);
      }

      @Override
      public void cancel() {
        completion.cancel();
      }
    };
  }
}
