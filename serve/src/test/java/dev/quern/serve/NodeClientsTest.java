package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The packages `ollama` and `openai` of npm, which nobody here wrote, run by Node: each script
/// checks what it is answered. They are installed into `target` with `-Dquern.tools.required=true`,
/// as the lock file has them; without it the test runs where they were.
class NodeClientsTest {
  private static final Path HOME = Path.of("target", "node-clients");
  private static final List<String> FILES =
      List.of("package.json", "package-lock.json", "ollama.mjs", "openai.mjs");
  private static final int MINUTES = 5;

  @TempDir static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    String version =
        run(List.of("node", "--version")).map(r -> r.output().strip()).orElse("absent");
    if (!version.matches("v[2-9]\\d\\..*")) {
      LeftOut.lacking(NodeClientsTest.class, "node is " + version + ", expected v20 or newer");
    }
    Files.createDirectories(HOME);
    for (String file : FILES) {
      try (InputStream in = NodeClientsTest.class.getResourceAsStream("node/" + file)) {
        Files.copy(in, HOME.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    boolean there =
        Files.isDirectory(HOME.resolve("node_modules/ollama"))
            && Files.isDirectory(HOME.resolve("node_modules/openai"));
    if (!there && !Asked.TOOLS.yes()) {
      throw LeftOut.ended(
          NodeClientsTest.class,
          "the packages are not installed. To have them: ./build verify -Dquern.tools.required=true");
    }
    if (!there) {
      Optional<Run> npm = run(List.of("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"));
      if (npm.filter(r -> r.status() == 0).isEmpty()) {
        LeftOut.lacking(
            NodeClientsTest.class,
            "npm ci failed: " + npm.map(Run::output).orElse("there is no npm"));
      }
    }
    server = ToolModel.serve(folder);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private record Run(int status, String output) {}

  /// @return empty where there is no such program
  private static Optional<Run> run(List<String> command) throws Exception {
    Files.createDirectories(HOME);
    Process process;
    try {
      process =
          new ProcessBuilder(command).directory(HOME.toFile()).redirectErrorStream(true).start();
    } catch (IOException _) { // absent
      return Optional.empty();
    }
    process.getOutputStream().close();
    Thread killer =
        Thread.ofVirtual()
            .start(() -> {
              try {
                if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                  process.destroyForcibly();
                }
              } catch (InterruptedException _) { // it has ended
                Thread.currentThread().interrupt();
              }
            });
    String output = new String(process.getInputStream().readAllBytes());
    int status = process.waitFor();
    killer.interrupt();
    return Optional.of(new Run(status, output));
  }

  private static void runs(String script, List<String> checks) throws Exception {
    Run run = run(List.of("node", script, server.server.address().toString())).orElseThrow();
    assertEquals(0, run.status(), run.output());
    List<String> done = new ArrayList<>(run.output().lines().toList());
    assertTrue(
        done.containsAll(checks.stream().map(check -> "ok " + check).toList()), run.output());
  }

  @Test
  void ollamasClient() throws Exception {
    runs(
        "ollama.mjs",
        List.of(
            "chat",
            "chat streamed",
            "generate",
            "format",
            "tools",
            "models",
            "embed",
            "errors",
            "leaving"));
  }

  @Test
  void openAisClient() throws Exception {
    runs(
        "openai.mjs",
        List.of(
            "chat",
            "chat streamed",
            "tools",
            "schema",
            "completions",
            "embeddings",
            "responses",
            "responses with tools and a schema",
            "errors"));
  }
}
