package dev.quern.cli.serve;

import dev.quern.cli.console.Console;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.serve.QuernServer;
import dev.quern.serve.ServerOptions;
import dev.quern.serve.options.ApiKeys;
import dev.quern.serve.options.HttpOptions;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import dev.quern.serve.options.Tls;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/// A server from its start to its end.
final class ServeRun {
  private final ServeCommand command;
  private final Console console;

  ServeRun(ServeCommand command) {
    this.command = command;
    console = command.console();
  }

  int call() throws IOException {
    HttpOptions http = http();
    QuernServer server = QuernServer.start(new ServerOptions(http, models()));
    CountDownLatch ended = new CountDownLatch(1);
    try {
      server.load();
      if (command.training) {
        Training.ask(server.address());
        server.close();
        return 0;
      }
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform().name("quern-drain").unstarted(() -> end(server, ended)));
      if (http.isWideOpen()) {
        console
            .err()
            .println(
                "quern: warning: listens beyond this machine without --api-keys: whoever reaches "
                    + server.address()
                    + " can use it");
      }
      console.err().println(line(server));
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the end, for a program that runs this command
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      server.close();
      throw t;
    }
    return 0;
  }

  private void end(QuernServer server, CountDownLatch ended) {
    server.drain(Duration.ofSeconds(command.drain));
    server.close();
    ended.countDown();
  }

  private String line(QuernServer server) {
    LlamaModel first = server.loaded().values().iterator().next();
    String names =
        server.served().stream().map(ServedModel::name).collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "quern: serving %s (%s; threads: %d; %s)",
        server.address(),
        names,
        first.threads(),
        first.report().summary());
  }

  private HttpOptions http() {
    HttpOptions http =
        HttpOptions.defaults()
            .withAddress(command.host, command.training ? 0 : command.port)
            .withLimits(
                command.maxBody.intValue(), // the command has refused more
                command.connections,
                Duration.ofSeconds(command.idle))
            .withOrigins(command.origins);
    if (command.apiKeys != null) {
      http = http.withKeys(ApiKeys.read(command.apiKeys));
    }
    if (command.tlsKey != null) {
      http = http.withTls(new Tls(command.tlsCertificate, command.tlsKey));
    }
    return command.logRequests ? http.withRequestLog(line -> console.err().println(line)) : http;
  }

  private ModelsOptions models() {
    List<ServedModel> models =
        command.serving.models.isEmpty()
            ? List.of(ServedModel.demo())
            : command.serving.models.stream().map(ServedModel::parse).toList();
    LoadOptions loading = command.serving.options();
    EngineOptions engine =
        command.guesses.with(
            EngineOptions.defaults()
                .withSequences(command.parallel)
                .withPrefixes(command.parallel)
                .withQueue(command.queue));
    ModelsOptions options =
        ModelsOptions.of(models)
            .withLoading(loading)
            .withEngine(engine)
            .withDeadline(
                command.deadline == 0
                    ? Optional.empty()
                    : Optional.of(Duration.ofSeconds(command.deadline)));
    if (command.guesses.draft().isPresent()) {
      options = options.withDraft(command.guesses.draft().get());
    }
    return command.memory == null ? options : options.withMemory(command.memory);
  }
}
