package dev.quern.serve.options;

import dev.quern.llama.EngineOptions;
import dev.quern.llama.LoadOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// Which models a server has, and how they run. Made by [#of] and changed by the `with` methods;
/// the constructor grows with them and is no promise.
///
/// @param models the first is loaded at the start, and the others when they are asked for
/// @param loading how each is loaded
/// @param engine how each is shared among requests
/// @param draft a small model that guesses for the first, which is the only one then
/// @param memory most bytes of models that are loaded at once, with all KV caches that they may
///   come to have: who was asked for longest ago goes first. Empty: what the machine has
/// @param deadline how long a request may take, with waiting; empty for as long as it takes
/// @since 0.1
/// @stability api
public record ModelsOptions(
    List<ServedModel> models,
    LoadOptions loading,
    EngineOptions engine,
    Optional<Path> draft,
    OptionalLong memory,
    Optional<Duration> deadline) {

  public ModelsOptions {
    models = List.copyOf(models);
    Objects.requireNonNull(loading, "loading");
    Objects.requireNonNull(engine, "engine");
    Objects.requireNonNull(draft, "draft");
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(deadline, "deadline");
    ServeException.require("models", "none", !models.isEmpty(), "at least one");
    Set<String> names = new HashSet<>();
    models.forEach(model ->
        ServeException.require(
            "model", model.name(), names.add(model.name()), "each name once: NAME=FILE names one"));
    ServeException.require(
        "draft", draft, draft.isEmpty() || models.size() == 1, "one model, which it guesses for");
    memory.ifPresent(bytes -> ServeException.require("memory", bytes, bytes > 0, "bytes > 0"));
    deadline.ifPresent(
        time -> ServeException.require("deadline", time, time.isPositive(), "a time > 0"));
  }

  /// As each model and its engine are by default, and requests of at most ten minutes.
  public static ModelsOptions of(List<ServedModel> models) {
    return new ModelsOptions(
        models,
        LoadOptions.defaults(),
        EngineOptions.defaults(),
        Optional.empty(),
        OptionalLong.empty(),
        Optional.of(Duration.ofMinutes(10)));
  }

  public ModelsOptions withLoading(LoadOptions loading) {
    return new ModelsOptions(models, loading, engine, draft, memory, deadline);
  }

  public ModelsOptions withEngine(EngineOptions engine) {
    return new ModelsOptions(models, loading, engine, draft, memory, deadline);
  }

  public ModelsOptions withDraft(Path draft) {
    return new ModelsOptions(models, loading, engine, Optional.of(draft), memory, deadline);
  }

  public ModelsOptions withMemory(long bytes) {
    return new ModelsOptions(models, loading, engine, draft, OptionalLong.of(bytes), deadline);
  }

  public ModelsOptions withDeadline(Optional<Duration> deadline) {
    return new ModelsOptions(models, loading, engine, draft, memory, deadline);
  }
}
