package dev.quern.conformance.hostile;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/// Runs the suite on hostile providers in processes of their own, some at a time, and says what
/// became of each. A process that ends or hangs is replaced, and the next provider is taken.
///
/// @param dir for files
/// @param processes at a time
/// @param limit how long a case may take
record Trials(Path dir, int processes, Duration limit) {

  private static final String END_OF_OUTPUT = "";

  /// What became of each, in their order.
  ///
  /// @param likely the death that an earlier run has seen, by the provider's id
  /// @param progress is told each as it comes
  Map<String, Death> run(List<String> ids, Map<String, Death> likely, Consumer<Death> progress) {
    BlockingQueue<String> left = new LinkedBlockingQueue<>(ids);
    Map<String, Death> deaths = new LinkedHashMap<>();
    ids.forEach(id -> deaths.put(id, null));
    Consumer<Death> seen =
        death -> {
          synchronized (deaths) {
            deaths.put(death.id(), death);
            progress.accept(death);
          }
        };
    List<Throwable> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int p = 0; p < processes; p++) {
      Path crumb = dir.resolve("case-" + p);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  work(left, likely, crumb, seen);
                } catch (IOException | InterruptedException | RuntimeException e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while trials were running", e);
      }
    }
    if (!failures.isEmpty()) {
      throw new IllegalStateException("trials could not be run", failures.getFirst());
    }
    return deaths;
  }

  /// Takes some at a time: compiled code serves the next one, and no process is left with many.
  private void work(
      BlockingQueue<String> left, Map<String, Death> likely, Path crumb, Consumer<Death> seen)
      throws IOException, InterruptedException {
    List<String> batch = new ArrayList<>();
    while (left.drainTo(batch, 10) > 0) {
      while (!batch.isEmpty()) {
        child(batch, likely, crumb, seen);
      }
    }
  }

  /// Runs a process until it has ended; takes those that it has judged out of the batch.
  private void child(
      List<String> batch, Map<String, Death> likely, Path crumb, Consumer<Death> seen)
      throws IOException, InterruptedException {
    Files.deleteIfExists(crumb);
    Process process = start(batch, likely, crumb);
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    Thread.ofPlatform().daemon().start(() -> read(process, lines));
    StringBuilder others = new StringBuilder();
    long begin = System.nanoTime();
    String running = batch.getFirst();
    Stillness stillness = new Stillness(crumb);
    while (true) {
      String line = lines.poll(1, TimeUnit.SECONDS);
      if (line == null) {
        if (stillness.lasts(limit)) {
          process.destroyForcibly().waitFor();
          batch.remove(running);
          seen.accept(stopped(running, Death.How.HANGS, crumb, begin));
          return;
        }
      } else if (line.startsWith(Trial.BEGINS)) {
        running = line.substring(Trial.BEGINS.length());
        begin = System.nanoTime();
      } else if (line.startsWith(Trial.ENDS)) {
        Death death = Death.parse(line.substring(Trial.ENDS.length()));
        batch.remove(death.id());
        seen.accept(death);
      } else if (line.equals(END_OF_OUTPUT)) {
        int exit = process.waitFor();
        if (exit != 0 && batch.contains(running)) {
          if (!others.toString().contains("SIG")) {
            throw new IllegalStateException(
                "the process of " + running + " ended with " + exit + ":\n" + others);
          }
          batch.remove(running);
          seen.accept(stopped(running, Death.How.ENDS_THE_PROCESS, crumb, begin));
        }
        return;
      } else {
        others.append(line).append('\n');
      }
    }
  }

  /// How long the file with the running case has been as it is.
  private static final class Stillness {
    private final Path crumb;
    private String last = "";
    private long since = System.nanoTime();

    Stillness(Path crumb) {
      this.crumb = crumb;
    }

    boolean lasts(Duration limit) throws IOException {
      String now = Files.exists(crumb) ? Files.readString(crumb) : "";
      if (!now.equals(last)) {
        last = now;
        since = System.nanoTime();
      }
      return System.nanoTime() - since > limit.toNanos();
    }
  }

  /// The check that was running is in the file.
  private static Death stopped(String id, Death.How how, Path crumb, long begin)
      throws IOException {
    String replay = Files.exists(crumb) ? Files.readString(crumb) : "";
    String check = replay.contains("/") ? replay.substring(0, replay.indexOf('/')) : "";
    return new Death(id, how, check, "", 0, (System.nanoTime() - begin) * 1e-9);
  }

  private Process start(List<String> batch, Map<String, Death> likely, Path crumb)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + crumb + ".log",
                "-cp",
                System.getProperty("java.class.path"),
                Trial.class.getName(),
                crumb.toString()));
    for (String id : batch) {
      command.add(id);
      command.add(known(likely.get(id), Death::check));
      command.add(known(likely.get(id), Death::subject));
    }
    return new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
  }

  private static String known(Death death, Function<Death, String> what) {
    return death == null || what.apply(death).isEmpty() ? "-" : what.apply(death);
  }

  private static void read(Process process, BlockingQueue<String> lines) {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      reader.lines().filter(l -> !l.isEmpty()).forEach(lines::add);
    } catch (IOException | UncheckedIOException e) {
      lines.add(e.toString()); // the process was ended
    }
    lines.add(END_OF_OUTPUT);
  }
}
