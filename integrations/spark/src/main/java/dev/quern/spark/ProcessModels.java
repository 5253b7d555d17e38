package dev.quern.spark;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.SchemaConstraints;
import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.IntSupplier;

/// The models of this process: one for all tasks of a plan. One that no task uses stays, for the
/// next stage's; it is closed when another one is to be loaded, or the process ends.
final class ProcessModels {
  private static final int MOST_WAITING = 1 << 24; // more than any windows of tasks

  static final ProcessModels OF_PROCESS = new ProcessModels();

  /// A model that is loaded, and what its tasks share.
  static final class Shared {
    private final LlamaModel model;
    private final Engine engine;
    private final String provider;
    private final SchemaConstraints constraints = new SchemaConstraints();
    private int users; // guarded by ProcessModels

    private Shared(LlamaModel model, Engine engine) {
      this.model = model;
      this.engine = engine;
      provider = model.report().summary();
    }

    LlamaModel model() {
      return model;
    }

    Engine engine() {
      return engine;
    }

    SchemaConstraints constraints() {
      return constraints;
    }

    /// Who runs what, in a line.
    String provider() {
      return provider;
    }
  }

  private final Map<ModelPlan, Shared> models = new HashMap<>(); // guarded by this
  private boolean ending; // guarded by this

  private ProcessModels() {
    // What runs is cancelled, and its tasks fail, rather than write what is cut off.
    Runtime.getRuntime().addShutdownHook(new Thread(this::end, "quern-spark-end"));
  }

  /// The model of a plan, for a task that releases it when it ends.
  ///
  /// @param threads of this process, asked for where a model is to be loaded and names none
  synchronized Shared acquire(ModelPlan plan, IntSupplier threads) throws IOException {
    if (ending) {
      throw new IllegalStateException("the process ends, and loads no model");
    }
    Shared shared = models.get(plan);
    if (shared == null) {
      closeIdle();
      shared = load(plan, plan.threads() == 0 ? threads.getAsInt() : plan.threads());
      models.put(plan, shared);
    }
    shared.users++;
    return shared;
  }

  synchronized void release(Shared shared) {
    shared.users--;
  }

  private static Shared load(ModelPlan plan, int threads) throws IOException {
    LlamaModel model = plan.load(threads);
    try {
      // Tasks bound what waits: each has a window.
      EngineOptions options =
          EngineOptions.defaults().withSequences(plan.parallel()).withQueue(MOST_WAITING);
      return new Shared(model, model.newEngine(options));
    } catch (RuntimeException | Error e) { // rethrown: only the model is closed here
      model.close();
      throw e;
    }
  }

  private void closeIdle() {
    for (Iterator<Shared> all = models.values().iterator(); all.hasNext(); ) {
      Shared shared = all.next();
      if (shared.users == 0) {
        all.remove();
        shared.model.close();
      }
    }
  }

  private synchronized void end() {
    ending = true;
    models.values().forEach(shared -> shared.model.close());
    models.clear();
  }
}
