package dev.quern.springai;

import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import java.util.concurrent.Semaphore;

/// A request that holds an engine up before each of its tokens, so that a test decides when a step
/// ends. Closing it lets the engine go.
final class HeldEngine implements AutoCloseable {
  private static final int FOR_EVER = 1_000_000;

  private final Semaphore steps = new Semaphore(0);
  private final Semaphore held = new Semaphore(0);
  private final Completion completion;

  /// Returns when the engine is held.
  HeldEngine(Engine engine) throws InterruptedException {
    GenerationOptions options =
        GenerationOptions.greedy(FOR_EVER)
            .withLogitsHook((_, _) -> {
              held.release();
              steps.acquireUninterruptibly();
            });
    completion = engine.submit(EngineRequest.of(new int[] {1}, options), _ -> {});
    held.acquire();
  }

  /// Lets one step pass, and returns when the next one is held.
  void step() throws InterruptedException {
    steps.release();
    held.acquire();
  }

  @Override
  public void close() {
    completion.cancel();
    steps.release(FOR_EVER);
  }
}
