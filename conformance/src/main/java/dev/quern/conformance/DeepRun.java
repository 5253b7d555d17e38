package dev.quern.conformance;

import dev.quern.files.OutputException;
import dev.quern.spi.Availability;
import dev.quern.spi.Spec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/// A run of hours: the suite in rounds, with a seed of its own each, until its time is over. What
/// is done is kept in a file, so that a run that was stopped or killed goes on where it was: what
/// is lost is the step that was running and those that ended [#SAVED_EVERY] before.
///
/// A step that fails is not tried in later rounds; all others go on.
///
/// @since 0.1
/// @stability api
public final class DeepRun {
  /// Cases that a round tries, where nothing else is said.
  public static final int TRIES = 200;

  /// How long a step that passed may wait for the file, which goes to the disk each time. One that
  /// failed does not wait.
  private static final Duration SAVED_EVERY = Duration.ofSeconds(5);

  private final Target target;
  private final Settings settings;
  private final Selection selection;
  private final List<ModelKernel> models;
  private final Duration limit;
  private final DeepState state; // guarded by this
  private final double before; // seconds of the runs before this one
  private long start;
  private long saved;

  private DeepRun(
      Target target,
      Settings settings,
      Selection selection,
      List<ModelKernel> models,
      Duration limit,
      DeepState state) {
    this.target = target;
    this.settings = settings;
    this.selection = selection;
    this.models = List.copyOf(models);
    this.limit = limit;
    this.state = state;
    this.before = state.seconds;
    this.start = System.nanoTime();
  }

  /// Begins a run, or goes on with one.
  ///
  /// @param settings tries of a round, and the seed of the first; each later one's is 1 more
  /// @param models kernels of models that are tried in each round
  /// @param limit how long the run may take, with all its interruptions left out
  /// @param file where it is kept; one that exists must be of the same run
  /// @param binary the provider's version, its JAR's hash, and what else tells it from itself
  ///   before a change
  /// @throws DeepException if the file can't be gone on from
  public static DeepRun open(
      Target target,
      Settings settings,
      Selection selection,
      List<ModelKernel> models,
      Duration limit,
      Path file,
      String binary)
      throws IOException {
    String of =
        String.format(
            Locale.ROOT,
            "provider %s (%s), SPEC.md %s, %d tries, seed %d, operators %s, %s",
            target.provider().name(),
            binary,
            Spec.text(Spec.VERSION),
            settings.tries(),
            settings.seed(),
            selection.operators().isEmpty()
                ? "all"
                : selection.operators().stream().sorted().toList(),
            models.isEmpty()
                ? "no models"
                : String.format(
                    Locale.ROOT,
                    "models %s (%08x)",
                    models.stream().map(ModelKernel::model).distinct().toList(),
                    models.toString().hashCode()));
    return new DeepRun(target, settings, selection, models, limit, DeepState.open(file, of));
  }

  /// What a run tells.
  public interface Watcher {
    /// Some results came.
    void progress(CellResult cell);

    /// A step failed, which later rounds leave out.
    void failed(Failure failure);

    /// What there is was kept, and [DeepRun#result] has all of it.
    void saved();
  }

  /// Runs until the time is over.
  ///
  /// @throws OutputException if the file can't be written; what it holds stays
  public void run(Watcher watcher) throws OutputException {
    start = System.nanoTime();
    saved = start;
    try {
      while (!over()) {
        Settings fresh =
            new Settings(
                settings.tries(),
                settings.seed() + round() - 1,
                settings.replay(),
                settings.breadcrumb());
        Plan plan = new Plan(models, state.coverage, (name, step) -> step(name, step, watcher));
        Suite.run(target, fresh, selection, plan, watcher::progress);
        if (!over()) {
          endRound();
        }
        save();
        watcher.saved();
      }
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof OutputException o) { // of save() in a step
        throw o;
      }
      throw e;
    }
  }

  private List<CellResult> step(String name, Supplier<List<CellResult>> step, Watcher watcher) {
    synchronized (this) {
      if (state.done.contains(name) || state.failed.contains(name) || over()) {
        return List.of();
      }
    }
    long began = System.nanoTime();
    List<CellResult> cells = step.get();
    long now = System.nanoTime();
    boolean failed = cells.stream().anyMatch(c -> c.failures() > 0);
    synchronized (this) {
      cells.forEach(state::add);
      state.done.add(name);
      state.nanos.merge(name, now - began, Long::sum);
      if (failed) {
        state.failed.add(name);
      }
    }
    cells.stream().flatMap(c -> c.firstFailure().stream()).limit(1).forEach(watcher::failed);
    if (failed || now - saved > SAVED_EVERY.toNanos()) {
      try {
        save();
      } catch (OutputException e) {
        throw new UncheckedIOException(e);
      }
      watcher.saved();
    }
    return cells;
  }

  private synchronized void endRound() {
    state.done.clear();
    state.round++;
  }

  private synchronized void save() throws OutputException {
    state.seconds = seconds();
    state.save();
    saved = System.nanoTime();
  }

  /// Seconds of this run and those that it went on from.
  public double seconds() {
    return before + (System.nanoTime() - start) / 1e9;
  }

  private boolean over() {
    return seconds() >= limit.toMillis() / 1e3;
  }

  /// The round that is running; where the time is over, the one that was.
  public synchronized int round() {
    return state.round;
  }

  /// What was found until now, in all rounds. Any thread may ask.
  public SuiteResult result() {
    List<ModelResult> specs =
        new ModelSpecs(new Plan(models, state.coverage, Steps.all()), settings).all();
    Availability availability = target.availability();
    synchronized (this) {
      return new SuiteResult(
          target.provider().name(),
          Spec.VERSION,
          target.platform(),
          availability,
          settings,
          state.cells(),
          specs);
    }
  }

  /// What cases have reached until now.
  public Coverage coverage() {
    return state.coverage;
  }

  /// Nanoseconds of each step until now.
  public synchronized Map<String, Long> nanos() {
    return Map.copyOf(state.nanos);
  }
}
