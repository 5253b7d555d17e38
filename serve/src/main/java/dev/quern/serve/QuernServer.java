package dev.quern.serve;

import dev.quern.llama.LlamaModel;
import dev.quern.serve.admin.ProvidersReport;
import dev.quern.serve.admin.ServerMetrics;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.http.HttpServer;
import dev.quern.serve.http.Route;
import dev.quern.serve.llamacpp.Detokenize;
import dev.quern.serve.llamacpp.Health;
import dev.quern.serve.llamacpp.Tokenize;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import dev.quern.serve.ollama.Alive;
import dev.quern.serve.ollama.Chat;
import dev.quern.serve.ollama.Embed;
import dev.quern.serve.ollama.Generate;
import dev.quern.serve.ollama.NotDone;
import dev.quern.serve.ollama.Tags;
import dev.quern.serve.ollama.Version;
import dev.quern.serve.openai.ChatCompletions;
import dev.quern.serve.openai.Completions;
import dev.quern.serve.openai.Embeddings;
import dev.quern.serve.openai.ModelList;
import dev.quern.serve.openai.Responses;
import dev.quern.serve.options.ServeException;
import dev.quern.serve.options.ServedModel;
import dev.quern.serve.page.Page;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Models behind HTTP, in OpenAI's and Ollama's protocols.
///
/// ```java
/// ServerOptions options =
///     new ServerOptions(
///         HttpOptions.defaults(), ModelsOptions.of(List.of(ServedModel.parse("model.gguf"))));
/// try (QuernServer server = QuernServer.start(options)) {
///   server.load();
///   System.out.println(server.address());
///   Thread.sleep(Duration.ofHours(1));
///   server.drain(Duration.ofSeconds(30));
/// }
/// ```
///
/// @since 0.1
/// @stability api
public final class QuernServer implements AutoCloseable {
  private final Models models;
  private final ServerMetrics metrics;
  private final HttpServer http;
  private volatile boolean stopping;

  private QuernServer(ServerOptions options) {
    models = new Models(options.models());
    metrics = new ServerMetrics(models);
    http = HttpServer.start(options.http(), routes(), new EngineFailures(), metrics);
  }

  /// The table of routes.
  private List<Route> routes() {
    Schemas schemas = new Schemas();
    ModelList list = new ModelList(models);
    Tags tags = new Tags(models);
    Embed embed = new Embed(models);
    NotDone notDone = new NotDone();
    Page page = new Page();
    return List.of(
        Route.get("/", page).asOpen(),
        Route.get("/page/*", page).asOpen(),
        Route.post("/v1/chat/completions", new ChatCompletions(models, schemas)),
        Route.post("/v1/completions", new Completions(models, schemas)),
        Route.post("/v1/responses", new Responses(models, schemas)),
        Route.post("/v1/embeddings", new Embeddings(models)),
        Route.get("/v1/models", list),
        Route.get("/v1/models/*", list::one),
        Route.post("/tokenize", new Tokenize(models)),
        Route.post("/detokenize", new Detokenize(models)),
        Route.ollama("HEAD", "/", new Alive()),
        Route.ollama("POST", "/api/chat", new Chat(models, schemas)),
        Route.ollama("POST", "/api/generate", new Generate(models, schemas)),
        Route.ollama("POST", "/api/embed", embed),
        Route.ollama("POST", "/api/embeddings", embed::older),
        Route.ollama("GET", "/api/tags", tags),
        Route.ollama("GET", "/api/ps", tags::running),
        Route.ollama("POST", "/api/show", tags::show),
        Route.ollama("GET", "/api/version", new Version()),
        Route.ollama("POST", "/api/pull", notDone),
        Route.ollama("POST", "/api/push", notDone),
        Route.ollama("POST", "/api/create", notDone),
        Route.ollama("POST", "/api/copy", notDone),
        Route.ollama("DELETE", "/api/delete", notDone),
        Route.get("/metrics", metrics),
        Route.get("/quern/report", new ProvidersReport(models)),
        Route.get("/health", new Health(models, () -> stopping)).asOpen());
  }

  /// Listens. Until [#load()] is done, `/health` answers 503, and requests wait.
  ///
  /// @throws ServeException if it can't
  public static QuernServer start(ServerOptions options) {
    return new QuernServer(options);
  }

  /// Loads the first model.
  ///
  /// @throws IOException as [dev.quern.llama.LlamaModel#load(java.nio.file.Path)] does
  public void load() throws IOException {
    models.loadFirst();
  }

  /// Where it listens.
  public URI address() {
    return http.address();
  }

  /// The models that there are.
  public List<ServedModel> served() {
    return models.served();
  }

  /// Those that are in memory now, by name. A server unloads models: what is held of one may be
  /// closed.
  public Map<String, LlamaModel> loaded() {
    return models.loaded().stream()
        .collect(Collectors.toUnmodifiableMap(LoadedModel::name, LoadedModel::model));
  }

  /// The models, and their engines.
  Models models() {
    return models;
  }

  /// Takes no more requests, waits until those that run are answered, and tells those that are not
  /// by then. Behind it comes [#close()].
  public void drain(Duration patience) {
    stopping = true;
    http.drain(patience);
  }

  /// Ends at once, with all that runs.
  @Override
  public void close() {
    stopping = true;
    try {
      http.close();
    } finally {
      models.close();
    }
  }
}
