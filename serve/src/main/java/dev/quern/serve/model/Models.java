package dev.quern.serve.model;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.text.Printable;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import dev.quern.text.Nearest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// The models of a server. Any thread may call it.
public final class Models implements AutoCloseable {
  private static final Logger LOG = System.getLogger("dev.quern.serve");

  private final ModelsOptions options;
  private final ReentrantLock loading = new ReentrantLock(); // held while one is loaded or closed
  private final Map<String, LoadedModel> loaded = new HashMap<>(); // guarded by itself
  private final Map<String, Long> bytes = new HashMap<>(); // of the loaded; guarded by loaded
  private final AwaitedLoads awaited = new AwaitedLoads();
  private volatile boolean ready;
  private volatile boolean closed;

  public Models(ModelsOptions options) {
    this.options = options;
  }

  /// Loads the first.
  public void loadFirst() throws IOException {
    try (Lease lease = lease(options.models().getFirst(), Optional.empty())) {
      ready = !lease.model().name().isEmpty();
    } catch (InterruptedException e) {
      throw new IOException("interrupted while a model was loaded", e);
    }
  }

  /// Whether the first is loaded.
  public boolean isReady() {
    return ready && !closed;
  }

  public List<ServedModel> served() {
    return options.models();
  }

  /// How long a request may still take.
  ///
  /// @param age how long ago it came
  public Optional<Duration> timeLeft(Duration age) {
    return options.deadline().map(time -> time.minus(age));
  }

  /// Those that are in memory now.
  public List<LoadedModel> loaded() {
    synchronized (loaded) {
      return List.copyOf(loaded.values());
    }
  }

  /// The right to use a model, which stays in memory until it is given back.
  public record Lease(LoadedModel model, Models models) implements AutoCloseable {
    /// Says how long the model may stay in memory when nobody uses it any more.
    ///
    /// @param rest empty: until another needs the room
    public void keep(Optional<Duration> rest) {
      synchronized (models.loaded) {
        model.setRest(rest);
      }
    }

    @Override
    public void close() {
      boolean watch;
      boolean now;
      synchronized (models.loaded) {
        model.used(-1);
        now = model.isIdle() && model.rest().filter(Duration::isZero).isPresent();
        watch = !now && model.watchRest();
      }
      if (now) {
        models.unloadRested(model);
      } else if (watch) {
        Thread.ofVirtual().name("quern-rest-" + model.name()).start(() -> models.watch(model));
      }
    }
  }

  /// How long a model stays in memory if nobody uses it; empty: until another needs the room.
  public Optional<Duration> restOf(LoadedModel model) {
    synchronized (loaded) {
      return model.isIdle() ? model.restLeft() : model.rest();
    }
  }

  /// Whether a model is in memory.
  public boolean isLoaded(ServedModel served) {
    synchronized (loaded) {
      return loaded.containsKey(served.name());
    }
  }

  /// How long a request may still take, asked again and again by what takes long.
  ///
  /// @return throws what the client is told where nobody waits for the answer any more
  public Supplier<Optional<Duration>> patience(Exchange exchange) {
    exchange.onEnd(() -> {}); // from now on a client that leaves is noticed
    return () -> {
      exchange
          .ended()
          .ifPresent(reason -> {
            throw reason;
          });
      return timeLeft(exchange.age());
    };
  }

  /// Has a model leave memory when it has rested long enough. One thread does that for a model.
  private void watch(LoadedModel model) {
    try {
      for (Optional<Duration> left = left(model); left.isPresent(); left = left(model)) {
        if (left.get().isPositive()) {
          Thread.sleep(left.get());
        } else {
          unloadRested(model);
        }
      }
    } catch (InterruptedException _) { // nobody does that; the model stays
      Thread.currentThread().interrupt();
    }
  }

  private Optional<Duration> left(LoadedModel model) {
    synchronized (loaded) {
      Optional<Duration> left =
          loaded.get(model.name()) != model
              ? Optional.empty()
              : model.isIdle() ? model.restLeft() : model.rest().map(Models::notZero);
      if (left.isEmpty()) {
        model.unwatchRest();
      }
      return left;
    }
  }

  private static Duration notZero(Duration rest) {
    return rest.isZero() ? Duration.ofSeconds(1) : rest;
  }

  private void unloadRested(LoadedModel model) {
    loading.lock();
    try {
      synchronized (loaded) {
        boolean rested =
            loaded.get(model.name()) == model
                && model.isIdle()
                && model.restLeft().filter(left -> !left.isPositive()).isPresent();
        if (!rested) {
          return;
        }
        loaded.remove(model.name());
        bytes.remove(model.name());
      }
      LOG.log(Level.DEBUG, () -> "model " + model.name() + ": leaves memory, as keep_alive asks");
      model.close();
    } finally {
      loading.unlock();
    }
  }

  /// The model of a name, loaded if it was not.
  ///
  /// @param exchange whose client waits for it
  /// @param name empty for the only one
  /// @throws HttpFailure 404 where there is none of that name; 400 where none is named and there
  ///   are several; 503 where there is no room for it now
  public Lease lease(Exchange exchange, Optional<String> name)
      throws IOException, InterruptedException {
    return lease(exchange, find(name));
  }

  /// As [#lease(Exchange, Optional)], of a model that was found.
  public Lease lease(Exchange exchange, ServedModel served)
      throws IOException, InterruptedException {
    return lease(served, Optional.of(exchange));
  }

  /// The model of a name, which need not be loaded.
  public ServedModel find(Optional<String> name) {
    List<String> names = served().stream().map(ServedModel::name).toList();
    if (name.isEmpty() && names.size() > 1) {
      throw new HttpFailure(
          400,
          "missing_required_parameter",
          Optional.of("model"),
          "model: missing, expected one of " + String.join(", ", names));
    }
    return served().stream()
        .filter(model -> name.isEmpty() || model.name().equals(name.get()))
        .findFirst()
        .orElseThrow(() ->
            new HttpFailure(
                404,
                "model_not_found",
                Optional.of("model"),
                String.format(
                    Locale.ROOT,
                    "model: %s, expected one of %s%s",
                    Printable.quoted(name.orElseThrow()),
                    Printable.cut(String.join(", ", names), 300),
                    Nearest.hint(name.get(), names))));
  }

  /// A model, loaded if it was not, for as long as somebody waits for it.
  private Lease lease(ServedModel served, Optional<Exchange> exchange)
      throws IOException, InterruptedException {
    Optional<Lease> there = loadedLease(served);
    if (there.isPresent()) {
      return there.get();
    }
    AwaitedLoads.Place place = awaited.join(served);
    exchange.ifPresent(e -> e.onEnd(place::leave));
    loading.lockInterruptibly();
    try {
      exchange.flatMap(Exchange::ended).ifPresent(Models::fail);
      there = loadedLease(served);
      return there.isPresent() ? there.get() : load(served, place);
    } finally {
      loading.unlock();
      place.leave();
    }
  }

  private static void fail(HttpFailure reason) {
    throw reason;
  }

  private Optional<Lease> loadedLease(ServedModel served) {
    synchronized (loaded) {
      LoadedModel model = loaded.get(served.name());
      if (model == null) {
        return Optional.empty();
      }
      model.used(1);
      return Optional.of(new Lease(model, this));
    }
  }

  private Lease load(ServedModel served, AwaitedLoads.Place place) throws IOException {
    if (closed) {
      throw HttpFailure.of(503, "server_stopping", "the server is shutting down");
    }
    makeRoom(served, weightsOnDisk(served));
    long start = System.nanoTime();
    LoadedModel model =
        LoadedModel.load(served, options.withLoading(place.watched(options.loading())));
    try {
      long all = model.mostBytes(options.engine());
      makeRoom(served, all);
      LOG.log(
          Level.DEBUG,
          () ->
              String.format(
                  Locale.ROOT,
                  "model %s: loaded in %.2f s",
                  served.name(),
                  (System.nanoTime() - start) / 1e9));
      synchronized (loaded) {
        loaded.put(served.name(), model);
        bytes.put(served.name(), all);
        model.used(1);
      }
      return new Lease(model, this);
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      model.close();
      throw t;
    }
  }

  /// Closes models that nobody uses, those of the longest rest first, until there is room.
  private void makeRoom(ServedModel served, long wanted) {
    if (options.memory().isEmpty()) {
      return;
    }
    long budget = options.memory().getAsLong();
    if (wanted > budget) {
      throw HttpFailure.of(
          503,
          "model_too_large",
          String.format(
              Locale.ROOT,
              "model %s: takes %d bytes with its KV caches, expected at most %d; start the server with a larger --memory, or a smaller --context or --parallel",
              served.name(),
              wanted,
              budget));
    }
    while (used() + wanted > budget) {
      Optional<LoadedModel> idle = takeIdle();
      if (idle.isEmpty()) {
        throw HttpFailure.of(
                503,
                "models_busy",
                String.format(
                    Locale.ROOT,
                    "model %s: no room for it while others are in use, expected a larger --memory, or to wait",
                    served.name()))
            .with("Retry-After", "5");
      }
      LOG.log(Level.DEBUG, () -> "model " + idle.get().name() + ": makes room");
      idle.get().close();
    }
  }

  private long used() {
    synchronized (loaded) {
      return bytes.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  private Optional<LoadedModel> takeIdle() {
    synchronized (loaded) {
      Optional<LoadedModel> idle =
          loaded.values().stream()
              .filter(LoadedModel::isIdle)
              .min(Comparator.comparingLong(LoadedModel::lastUse));
      idle.ifPresent(model -> {
        loaded.remove(model.name());
        bytes.remove(model.name());
      });
      return idle;
    }
  }

  /// What a model's weights and those of a draft take, as far as that is known before they are
  /// loaded.
  private long weightsOnDisk(ServedModel served) throws IOException {
    long bytes = 0; // of the demo: 1.7 MB, which is not looked at
    for (Optional<Path> file : List.of(served.file(), options.draft())) {
      if (file.isPresent()) {
        try (Checkpoint checkpoint = Checkpoint.open(file.get())) {
          for (Path part : checkpoint.files()) {
            bytes += Files.size(part);
          }
        }
      }
    }
    return bytes;
  }

  /// Ends all that runs, and frees all memory.
  @Override
  public void close() {
    closed = true;
    loading.lock();
    try {
      List<LoadedModel> all = loaded();
      synchronized (loaded) {
        loaded.clear();
        bytes.clear();
      }
      all.forEach(LoadedModel::close);
    } finally {
      loading.unlock();
    }
  }
}
