package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quern serve` as it is packaged, by the launcher: the server lies on a module path of its own.
class ServeIT {
  @TempDir Path folder;

  @Test
  void itServesTheDemoModelUntilItIsToldToEnd() throws Exception {
    Path home = LauncherHome.in(folder);
    Path err = folder.resolve("err.txt");
    try (Served served = Served.start(home, err, "--port", "0", "--log-requests");
        HttpClient client = HttpClient.newHttpClient()) {
      URI address = served.address();
      HttpResponse<String> response =
          client.send(
              HttpRequest.newBuilder(address.resolve("/v1/completions"))
                  .header("Content-Type", "application/json")
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          "{\"prompt\":\"Once upon a time\",\"max_tokens\":12,\"temperature\":0}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertEquals(200, response.statusCode(), response.body());
      assertTrue(response.body().contains(", there was a curious boy named"), response.body());
      HttpResponse<String> metrics =
          client.send(
              HttpRequest.newBuilder(address.resolve("/metrics")).build(),
              HttpResponse.BodyHandlers.ofString());
      assertTrue(metrics.body().contains("quern_tokens_generated_total"), metrics.body());
      served.process().destroy(); // SIGTERM
      assertTrue(served.process().waitFor(60, TimeUnit.SECONDS), "it does not end");
      assertEquals(128 + 15, served.process().exitValue());
    }
    List<String> lines = Files.readAllLines(err);
    assertTrue(
        lines.stream().anyMatch(l -> l.matches("[0-9a-f]{16} POST /v1/completions 200 \\d+ ms")),
        lines.toString());
    assertTrue(
        lines.stream()
            .allMatch(l ->
                l.equals(Child.INCUBATOR_WARNING)
                    || Served.ADDRESS.matcher(l).find()
                    || l.matches("[0-9a-f]{16} .*")),
        () -> "nothing else is said: " + lines);
  }

  @Test
  void whatIsWrongIsOneLine() throws IOException {
    Path home = LauncherHome.in(folder);
    assertOneLine(home, "quern: absent.gguf: ", "--model", "absent.gguf");
    assertOneLine(home, "quern: api keys: absent: ", "--api-keys", "absent");
    assertOneLine(home, "quern: serve: can't listen on 192.0.2.1:", "--host", "192.0.2.1");
  }

  private static void assertOneLine(Path home, String begin, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of(home.resolve("quern").toString(), "serve"));
    command.addAll(List.of("--port", "0"));
    command.addAll(List.of(options));
    Child child = Child.run(home, command);
    assertEquals(1, child.code(), child.err());
    List<String> said =
        child.err().lines().filter(l -> !l.equals(Child.INCUBATOR_WARNING)).toList();
    assertEquals(1, said.size(), child.err());
    assertTrue(said.getFirst().startsWith(begin), said.getFirst());
  }
}
