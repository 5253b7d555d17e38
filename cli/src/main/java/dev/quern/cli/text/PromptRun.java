package dev.quern.cli.text;

import dev.quern.QuernException;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.LoadProgressBar;
import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.StopReason;
import dev.quern.llama.constrain.SchemaConstraints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// Runs the lines of a file of prompts that have no result yet, several at once. A line that fails
/// has its error as its result; what is wrong with the machine or with Quern ends the run.
///
/// @param usual options of lines without any of their own, with the seed of all
/// @param special whether special tokens in prompts are tokens
record PromptRun(
    LlamaModel model, GenerationOptions usual, boolean special, int parallel, Console console) {

  /// @param pending what to run
  /// @param all how many lines there are, those with results among them
  /// @return how many of the lines that were run failed
  long run(PendingLines pending, ResultFile results, long all) throws IOException {
    EngineOptions options = EngineOptions.defaults().withSequences(parallel);
    try (LoadProgressBar progress = new LoadProgressBar(console, "prompts", "", 1);
        Engine engine = model.newEngine(options)) {
      Lines lines = new Lines(engine, results, progress, pending.done(), all);
      Optional<ByteLines.Line> line = pending.next();
      while (line.isPresent() && lines.begin(line.get())) {
        line = pending.next();
      }
      lines.await();
      return lines.failed.get();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while prompts were run", e);
    }
  }

  /// The lines that are being run, and those that have ended.
  private final class Lines {
    private final Engine engine;
    private final ResultFile results;
    private final LoadProgressBar progress;
    private final long all;
    private final int most = 2 * parallel; // as many wait as run, so that none is missing
    private final Semaphore free = new Semaphore(most);
    private final AtomicLong failed = new AtomicLong();
    private final AtomicReference<Throwable> end = new AtomicReference<>();
    private final SchemaConstraints schemas = new SchemaConstraints();
    private long done;

    Lines(Engine engine, ResultFile results, LoadProgressBar progress, long done, long all) {
      this.engine = engine;
      this.results = results;
      this.progress = progress;
      this.done = done;
      this.all = all;
    }

    /// Begins a line when there is room.
    ///
    /// @return whether another one may begin
    boolean begin(ByteLines.Line line) throws InterruptedException {
      free.acquire();
      if (end.get() != null) {
        free.release();
        return false;
      }
      Thread.ofVirtual()
          .name("quern-prompt")
          .start(() -> {
            try {
              run(line);
            } catch (Throwable t) { // rethrown by await()
              end.compareAndSet(null, t);
            } finally {
              free.release();
            }
          });
      return true;
    }

    /// Waits for all, and throws what ended the run, if anything has.
    void await() throws InterruptedException, IOException {
      free.acquire(most);
      switch (end.get()) {
        case null -> {}
        case IOException e -> throw e;
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(end.get());
      }
    }

    private void run(ByteLines.Line line) throws IOException, InterruptedException {
      Map<String, Object> result = new LinkedHashMap<>();
      Object id = null;
      try {
        PromptLine prompt = PromptLine.of(line.text());
        id = prompt.id();
        EngineRequest request = prompt.request(model, usual, special, schemas);
        StringBuilder text = new StringBuilder();
        Completion completion = engine.submit(request, text::append);
        Generation generation = completion.await();
        if (generation.stop() == StopReason.CANCELLED) {
          throw new IllegalStateException("a line was cancelled: " + line.number());
        }
        put(result, request, text.toString(), generation);
      } catch (QuernException e) {
        failed.incrementAndGet();
        result.put("error", e.getMessage());
      }
      ended(id, line, result);
    }

    private synchronized void ended(Object id, ByteLines.Line line, Map<String, Object> result)
        throws IOException {
      results.write(id, line, result);
      done++;
      progress.packed(done, all);
    }

    private void put(
        Map<String, Object> json, EngineRequest request, String text, Generation generation) {
      json.put("text", text);
      json.put("tokens", generation.tokens());
      json.put("stop", generation.stop().name());
      json.put("seed", request.options().sampling().seed());
      json.put("promptTokens", request.prompt().length);
      json.put("generatedTokens", generation.tokens().size());
      json.put("timeToFirstTokenSeconds", orNull(generation.timeToFirstTokenSeconds()));
      json.put("prefillSeconds", orNull(generation.prefillSeconds()));
      json.put("decodeSeconds", orNull(generation.decodeSeconds()));
      LogProbabilityText.put(json, generation, model.tokenizer());
    }

    private static Double orNull(double value) {
      return Double.isNaN(value) ? null : value;
    }
  }

  /// Lines that are not blank.
  static long count(Path prompts) throws IOException {
    if (Files.exists(prompts) && !Files.isRegularFile(prompts)) { // it is read more than once
      throw new UserException(prompts + ": not a regular file, expected one of JSON lines");
    }
    long count = 0;
    try (ByteLines lines = new ByteLines(prompts)) {
      for (Optional<ByteLines.Line> l = lines.next(); l.isPresent(); l = lines.next()) {
        count += l.get().isBlank() ? 0 : 1;
      }
    }
    if (count == 0) {
      throw new UserException(prompts + ": no line in it, expected a JSON object a line");
    }
    return count;
  }
}
