package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.QuernException;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadProgress;
import dev.quern.llama.SyntheticModel;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServeException;
import dev.quern.serve.options.ServedModel;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Several models by name, within a budget.
class ModelsTest {
  private static final String ASK = "{\"model\":\"%s\",\"prompt\":\"Once\",\"max_tokens\":2}";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void write() throws Exception {
    file = new SyntheticModel().write(folder.resolve("small.gguf"));
  }

  private TestServer start(UnaryOperator<ModelsOptions> options) throws Exception {
    List<ServedModel> models =
        List.of(
            ServedModel.parse(file.toString()),
            ServedModel.parse("other=" + file),
            ServedModel.demo());
    return TestServer.start(
        http -> http,
        _ ->
            options.apply(
                ModelsOptions.of(models)
                    .withLoading(TestServer.loading())
                    .withEngine(EngineOptions.defaults().withSequences(1).withPrefixes(0))));
  }

  private static List<String> loaded(TestServer server) {
    return server.server.models().loaded().stream().map(LoadedModel::name).sorted().toList();
  }

  @Test
  void theFirstIsLoadedAtOnceAndOthersWhenTheyAreNamed() throws Exception {
    try (TestServer server = start(options -> options)) {
      assertEquals(List.of("small"), loaded(server));
      String list = server.get("/v1/models").body();
      assertTrue(list.contains("\"small\"") && list.contains("\"other\""), list);
      assertEquals(200, server.get("/v1/models/demo").statusCode());
      assertEquals(List.of("small"), loaded(server));
      assertEquals(200, server.post("/v1/completions", ASK.formatted("demo")).statusCode());
      assertEquals(List.of("demo", "small"), loaded(server));
      HttpResponse<String> none = server.post("/v1/completions", "{\"prompt\":\"Once\"}");
      assertEquals(400, none.statusCode());
      assertTrue(none.body().contains("small, other, demo"), none.body());
    }
  }

  @Test
  void whoWasAskedForLongestAgoMakesRoom() throws Exception {
    long one = Files.size(file) + 40 * 1024; // and its KV cache
    try (TestServer server = start(options -> options.withMemory(one + one / 2))) {
      assertEquals(200, server.post("/v1/completions", ASK.formatted("other")).statusCode());
      assertEquals(List.of("other"), loaded(server));
      assertEquals(200, server.post("/v1/completions", ASK.formatted("small")).statusCode());
      assertEquals(List.of("small"), loaded(server));
    }
  }

  /// A draft and its KV caches count too.
  @Test
  void aDraftIsPartOfWhatAModelTakes() throws Exception {
    long alone;
    try (TestServer server = start(options -> options)) {
      LlamaModel model = server.server.models().loaded().getFirst().model();
      assertTrue(model.weightBytes() > 20_000, "weights: " + model.weightBytes());
      alone = model.weightBytes() + 2 * model.kvCacheBytes(); // one sequence's, the embedder's
    }
    UnaryOperator<ModelsOptions> one =
        options ->
            ModelsOptions.of(List.of(ServedModel.parse(file.toString())))
                .withLoading(options.loading())
                .withEngine(options.engine())
                .withMemory(Math.max(alone, file.toFile().length()));
    start(one).close();
    assertRefused(options -> one.apply(options).withDraft(file), "--memory");
  }

  @Test
  void aLoadEndsWhenNobodyWaitsForItAnyMore() throws Exception {
    SlowLoad slow = new SlowLoad();
    try (TestServer server =
        start(options -> options.withLoading(options.loading().withProgress(slow)))) {
      int whole = slow.tensors();
      slow.begin();
      Raw raw = new Raw(server.server.address());
      String body = ASK.formatted("other");
      raw.write(Raw.post("/v1/completions", body.length()) + body);
      slow.awaitBegun();
      raw.close();
      slow.goOn();
      slow.awaitRest();
      assertEquals(List.of("small"), loaded(server));
      assertTrue(slow.tensors() < whole, slow.tensors() + " of " + whole + " were packed");

      slow.begin();
      Raw first = new Raw(server.server.address());
      first.write(Raw.post("/v1/completions", body.length()) + body);
      slow.awaitBegun();
      CompletableFuture<HttpResponse<String>> second =
          server
              .client()
              .sendAsync(
                  server.json("/v1/completions", body).build(),
                  HttpResponse.BodyHandlers.ofString());
      Thread.sleep(200); // it need not wait by then, but should
      first.close();
      slow.goOn();
      assertEquals(200, second.get(60, TimeUnit.SECONDS).statusCode());
      assertEquals(List.of("other", "small"), loaded(server));
    }
  }

  /// A load that stops at its first tensor until it may go on, and is slow from then on: whoever
  /// leaves is noticed before it is through.
  private static final class SlowLoad implements LoadProgress {
    private final AtomicInteger tensors = new AtomicInteger();
    private volatile CountDownLatch begun = new CountDownLatch(0);
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile boolean slow;

    @Override
    public void packed(long packed, long total) {
      tensors.incrementAndGet();
      begun.countDown();
      try {
        gate.await();
        Thread.sleep(slow ? 300 : 0);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    void begin() {
      tensors.set(0);
      slow = true;
      begun = new CountDownLatch(1);
      gate = new CountDownLatch(1);
    }

    void awaitBegun() throws InterruptedException {
      assertTrue(begun.await(60, TimeUnit.SECONDS));
    }

    void goOn() {
      gate.countDown();
    }

    /// Until no tensor comes any more.
    void awaitRest() throws InterruptedException {
      int before;
      do {
        before = tensors.get();
        Thread.sleep(1500);
      } while (tensors.get() != before);
    }

    int tensors() {
      return tensors.get();
    }
  }

  @Test
  void aModelThatIsTooLargeIsRefusedAndSoIsOneThatIsAbsent() throws Exception {
    assertRefused(options -> options.withMemory(1000), "--memory");
    Files.delete(file);
    assertRefused(options -> options, "small.gguf");
  }

  private void assertRefused(UnaryOperator<ModelsOptions> options, String message) {
    QuernException e = assertThrows(QuernException.class, () -> start(options).close());
    assertTrue(e.getMessage().contains(message) && !e.getMessage().contains("\n"), e.toString());
  }

  @Test
  void namesComeFromFiles() {
    assertEquals("small", ServedModel.parse(file.toString()).name());
    assertEquals("my", ServedModel.parse("my=" + file).name());
    assertEquals(Optional.of(file), ServedModel.parse("my=" + file).file());
    assertThrows(ServeException.class, () -> new ServedModel(" ", Optional.empty()));
  }
}
