package dev.quern.serve;

import dev.quern.KernelOptions;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LoadOptions;
import dev.quern.serve.options.HttpOptions;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.function.UnaryOperator;

/// A server of the demo model on the scalar provider, and a client.
final class TestServer implements AutoCloseable {
  final QuernServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private TestServer(ServerOptions options) throws IOException {
    server = QuernServer.start(options);
    try {
      server.load();
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      server.close();
      throw t;
    }
  }

  static TestServer start() throws IOException {
    return start(http -> http, models -> models);
  }

  static TestServer start(UnaryOperator<HttpOptions> http, UnaryOperator<ModelsOptions> models)
      throws IOException {
    return new TestServer(options(http, models));
  }

  static ServerOptions options(
      UnaryOperator<HttpOptions> http, UnaryOperator<ModelsOptions> models) {
    return new ServerOptions(
        http.apply(HttpOptions.defaults().withAddress("127.0.0.1", 0)),
        models.apply(
            ModelsOptions.of(List.of(ServedModel.demo()))
                .withLoading(loading())
                .withEngine(EngineOptions.defaults().withSequences(4).withPrefixes(2))));
  }

  static LoadOptions loading() {
    return LoadOptions.defaults()
        .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
        .withContext(256);
  }

  HttpResponse<String> get(String path) throws Exception {
    return send(request(path).GET());
  }

  HttpResponse<String> post(String path, String body) throws Exception {
    return send(json(path, body));
  }

  HttpRequest.Builder json(String path, String body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(server.address().resolve(path));
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpClient client() {
    return client;
  }

  @Override
  public void close() {
    client.close();
    server.close();
  }
}
