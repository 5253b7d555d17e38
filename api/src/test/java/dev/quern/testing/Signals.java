package dev.quern.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Signals that tests send to child processes. One that is ignored where the tests were started
/// (`nohup` ignores HUP, a shell INT in what it starts with `&`) is ignored in their children too.
public final class Signals {
  private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

  private Signals() {}

  /// Those of `HUP`, `INT` and `TERM` that end a child process here; the others are printed.
  public static List<String> heard(String... names) throws IOException {
    long ignored = ignored();
    return Stream.of(names)
        .filter(name -> {
          boolean heard = (ignored >> (NUMBERS.get(name) - 1) & 1) == 0;
          if (!heard) {
            System.out.println(
                "[quern] left out, since these tests were started with SIG"
                    + name
                    + " ignored: what it does");
          }
          return heard;
        })
        .toList();
  }

  /// A bit a signal, from the least; 0 where no file says it.
  private static long ignored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    String mask = "SigIgn:";
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(mask))
        .mapToLong(line -> Long.parseUnsignedLong(line.substring(mask.length()).strip(), 16))
        .findFirst()
        .orElse(0);
  }
}
