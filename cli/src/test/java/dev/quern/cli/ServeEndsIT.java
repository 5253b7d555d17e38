package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quern serve` that is told to end, or killed, while clients read its streams.
class ServeEndsIT {
  private static final int CLIENTS = 16;
  private static final String DONE = "data: [DONE]";
  private static final String BODY =
      "{\"prompt\":\"Once upon a time\",\"max_tokens\":400,\"temperature\":0,\"ignore_eos\":true,\"stream\":true}";

  @TempDir Path folder;

  /// How a request ended.
  private enum End {
    WHOLE,
    TOLD, // an error event, or a status of one
    BROKEN, // the connection, in the middle of an answer
    REFUSED // before there was an answer
  }

  /// What each client saw, in turn.
  private record Seen(List<End> ends, List<String> texts) {}

  @Test
  void sigtermLeavesNobodyInTheDark() throws Exception {
    Path home = LauncherHome.in(folder);
    try (Served served =
        Served.start(home, folder.resolve("err.txt"), "--port", "0", "--drain", "60")) {
      List<Seen> all = under(served, Process::destroy);
      assertTrue(served.process().waitFor(90, TimeUnit.SECONDS), "it does not end");
      assertEquals(128 + 15, served.process().exitValue());
      assertEquals(0, count(all, End.BROKEN), "broken answers: " + all);
      assertSameTexts(all);
    }
  }

  @Test
  void whatAKilledServerLeavesIsNeverTakenForWhole() throws Exception {
    Path home = LauncherHome.in(folder);
    URI address;
    String text;
    try (Served served = Served.start(home, folder.resolve("err.txt"), "--port", "0")) {
      address = served.address();
      List<Seen> all = under(served, Process::destroyForcibly);
      assertTrue(count(all, End.BROKEN) > 0, "nobody was in the middle: " + all);
      assertEquals(0, count(all, End.TOLD), "a killed server tells nobody: " + all);
      text = assertSameTexts(all);
    }
    String port = Integer.toString(address.getPort());
    try (Served again = Served.start(home, folder.resolve("err2.txt"), "--port", port);
        HttpClient client = HttpClient.newHttpClient()) {
      Seen seen = new Seen(new ArrayList<>(), new ArrayList<>());
      ask(client, again.address(), seen);
      assertEquals(List.of(End.WHOLE), seen.ends());
      assertEquals(text, seen.texts().getFirst());
    }
  }

  private interface Ending {
    void end(Process process);
  }

  /// Ends a server when each client has heard a whole answer, and is in its next.
  private static List<Seen> under(Served served, Ending ending) throws Exception {
    AtomicInteger whole = new AtomicInteger();
    try (HttpClient client = HttpClient.newHttpClient();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Seen>> all = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        all.add(
            threads.submit(() -> {
              Seen seen = new Seen(new ArrayList<>(), new ArrayList<>());
              do {
                ask(client, served.address(), seen);
                whole.incrementAndGet();
              } while (seen.ends().getLast() == End.WHOLE);
              return seen;
            }));
      }
      while (whole.get() < 2 * CLIENTS) {
        Thread.sleep(5);
      }
      ending.end(served.process());
      List<Seen> seen = new ArrayList<>();
      for (Future<Seen> f : all) {
        seen.add(f.get(120, TimeUnit.SECONDS));
      }
      return seen;
    }
  }

  private static void ask(HttpClient client, URI address, Seen seen) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(address.resolve("/v1/completions"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(BODY))
            .build();
    HttpResponse<Stream<String>> response;
    try {
      response = client.send(request, HttpResponse.BodyHandlers.ofLines());
    } catch (IOException _) { // what the test asks about
      seen.ends().add(End.REFUSED);
      return;
    }
    List<String> lines = new ArrayList<>();
    try (Stream<String> body = response.body()) {
      body.filter(l -> !l.isEmpty()).forEach(lines::add);
    } catch (RuntimeException _) { // as the client's streams tell of a broken connection
      seen.ends().add(End.BROKEN);
      return;
    }
    if (response.statusCode() != 200 || lines.stream().anyMatch(l -> l.contains("\"error\":"))) {
      seen.ends().add(End.TOLD);
    } else if (lines.isEmpty() || !lines.getLast().equals(DONE)) {
      seen.ends().add(End.BROKEN);
    } else {
      seen.ends().add(End.WHOLE);
      seen.texts().add(text(lines));
    }
  }

  /// What follows `"text":"` in each event: an answer's own ids and times differ.
  private static String text(List<String> lines) {
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      int at = line.indexOf("\"text\":\"");
      text.append(at < 0 ? "" : line.substring(at + 8, line.indexOf('"', at + 8)));
    }
    return text.toString();
  }

  private static String assertSameTexts(List<Seen> all) {
    List<String> texts = all.stream().flatMap(s -> s.texts().stream()).distinct().toList();
    assertEquals(1, texts.size(), "texts: " + texts);
    assertTrue(texts.getFirst().startsWith(", there was a curious boy"), texts.getFirst());
    return texts.getFirst();
  }

  private static long count(List<Seen> all, End end) {
    return all.stream().flatMap(s -> s.ends().stream()).filter(end::equals).count();
  }
}
