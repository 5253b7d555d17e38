package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.QuernException;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.SyntheticModel;
import dev.quern.serve.http.ServeException;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.ModelsOptions;
import dev.quern.serve.model.ServedModel;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
