package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A `quern serve` of the demo model that runs, as it is packaged.
///
/// @param err what it says
record Served(Process process, URI address, Path err) implements AutoCloseable {
  static final Pattern ADDRESS = Pattern.compile("quern: serving (http://[0-9.:]+) \\(demo;");

  /// Starts it, and waits until it is ready.
  static Served start(Path home, Path err, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(home.resolve("quern").toString(), "serve"));
    command.addAll(List.of(options));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(err.toFile())
            .start();
    try {
      return new Served(process, address(process, err), err);
    } catch (Throwable t) { // rethrown: only the process is ended here
      process.destroyForcibly();
      throw t;
    }
  }

  private static URI address(Process process, Path err) throws IOException, InterruptedException {
    while (true) {
      boolean over = !process.isAlive();
      Matcher matcher = ADDRESS.matcher(Files.readString(err));
      if (matcher.find()) {
        return URI.create(matcher.group(1));
      }
      assertFalse(over, () -> "it does not start, see " + err);
      Thread.sleep(50);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
