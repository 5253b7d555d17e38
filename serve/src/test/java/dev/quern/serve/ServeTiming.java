package dev.quern.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Servers that speak OpenAI's protocol, side by side; not a test, run its `main`
/// (docs/benchmarks.md):
///
/// ```
/// quern serve --model MODEL --threads 2 --parallel 8 --port 18081
/// llama-server -m MODEL -t 2 -np 8 -c 4096 --port 18080
/// ServeTiming CLIENTS SECONDS ROUNDS PROMPT TOKENS http://localhost:18081 http://localhost:18080
/// ```
///
/// In each round the servers are asked in turn, by so many clients for so long: each streams the
/// continuation of some `PROMPT` words that nobody has seen, of `TOKENS` tokens, and then asks for
/// the next. A request that has begun when the time is over is waited for. Printed are tokens a
/// second by what the servers say they have generated, and the times to the first piece of text and
/// between two pieces.
final class ServeTiming {
  private static final String[] WORDS =
      ("the a one little big red old new girl boy dog cat bird tree ball house day night park friend"
              + " was is had saw went ran said liked wanted found gave took made played looked very"
              + " happy sad fast slow and but so then with in on to from under over her his their it")
          .split(" ");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final int clients;
  private final double seconds;
  private final int prompt;
  private final int tokens;
  private final HttpClient http = HttpClient.newHttpClient();

  private ServeTiming(int clients, double seconds, int prompt, int tokens) {
    this.clients = clients;
    this.seconds = seconds;
    this.prompt = prompt;
    this.tokens = tokens;
  }

  public static void main(String[] args) throws InterruptedException {
    ServeTiming timing =
        new ServeTiming(
            Integer.parseInt(args[0]),
            Double.parseDouble(args[1]),
            Integer.parseInt(args[3]),
            Integer.parseInt(args[4]));
    List<URI> servers = Stream.of(args).skip(5).map(URI::create).toList();
    timing.run(Integer.parseInt(args[2]), servers);
  }

  /// What a server did in one round.
  private static final class Round {
    final AtomicLong generated = new AtomicLong();
    final AtomicInteger requests = new AtomicInteger();
    final AtomicInteger failures = new AtomicInteger();
    final List<Double> first = Collections.synchronizedList(new ArrayList<>());
    final List<Double> between = Collections.synchronizedList(new ArrayList<>());
  }

  private void run(int rounds, List<URI> servers) throws InterruptedException {
    double[][] rates = new double[servers.size()][rounds];
    for (int r = -1; r < rounds; r++) { // the first warms up
      for (int s = 0; s < servers.size(); s++) {
        Round round = new Round();
        double took = round(servers.get(s), r, round);
        double rate = round.generated.get() / took;
        System.out.printf(
            Locale.ROOT,
            "%s %s: %.1f tokens a second, %d requests, %d failed, %.1f s; first piece %s s; between two %s s%n",
            r < 0 ? "warm-up" : "round " + (r + 1),
            servers.get(s),
            rate,
            round.requests.get(),
            round.failures.get(),
            took,
            percentiles(round.first),
            percentiles(round.between));
        if (r >= 0) {
          rates[s][r] = rate;
        }
      }
    }
    for (int s = 1; s < servers.size(); s++) {
      double[] ratios = new double[rounds];
      for (int r = 0; r < rounds; r++) {
        ratios[r] = rates[0][r] / rates[s][r];
      }
      Arrays.sort(ratios);
      System.out.printf(
          Locale.ROOT,
          "%s of %s: %.2f [%.2f .. %.2f] times the tokens a second%n",
          servers.getFirst(),
          servers.get(s),
          ratios[rounds / 2],
          ratios[0],
          ratios[rounds - 1]);
    }
  }

  private double round(URI server, int number, Round round) throws InterruptedException {
    long start = System.nanoTime();
    double limit = number < 0 ? Math.min(10, seconds) : seconds;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int c = 0; c < clients; c++) {
        SplittableRandom random = new SplittableRandom(1_000L * number + c);
        threads.submit(() -> {
          while ((System.nanoTime() - start) / 1e9 < limit) {
            try {
              ask(server, text(random), round);
              round.requests.incrementAndGet();
            } catch (IOException | RuntimeException e) {
              round.failures.incrementAndGet();
              System.out.println("  failed: " + e);
              Thread.sleep(100);
            }
          }
          return null;
        });
      }
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private String text(SplittableRandom random) {
    return random
        .ints(prompt, 0, WORDS.length)
        .mapToObj(i -> WORDS[i])
        .collect(Collectors.joining(" "));
  }

  private void ask(URI server, String text, Round round) throws IOException, InterruptedException {
    Map<String, Object> body =
        Map.of(
            "prompt",
            text,
            "max_tokens",
            tokens,
            "temperature",
            0,
            "ignore_eos",
            true,
            "stream",
            true,
            "stream_options",
            Map.of("include_usage", true));
    HttpRequest request =
        HttpRequest.newBuilder(server.resolve("/v1/completions"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
            .build();
    long start = System.nanoTime();
    HttpResponse<Stream<String>> response = http.send(request, HttpResponse.BodyHandlers.ofLines());
    if (response.statusCode() != 200) {
      throw new IOException(
          response.statusCode() + " " + response.body().collect(Collectors.joining(" ")));
    }
    long last = start;
    boolean begun = false;
    int generated = -1;
    try (Stream<String> lines = response.body()) {
      for (Iterator<String> all = lines.iterator(); all.hasNext(); ) {
        String line = all.next();
        if (!line.startsWith("data: {")) {
          continue;
        }
        JsonNode event = JSON.readTree(line.substring("data: ".length()));
        if (event.has("error")) {
          throw new IOException(event.get("error").toString());
        }
        if (event.path("usage").has("completion_tokens")) {
          generated = event.path("usage").path("completion_tokens").asInt();
        }
        if (!event.path("choices").path(0).path("text").asText().isEmpty()) {
          long now = System.nanoTime();
          (begun ? round.between : round.first).add((now - last) / 1e9);
          begun = true;
          last = now;
        }
      }
    }
    if (generated != tokens) {
      throw new IOException(generated + " tokens, expected " + tokens);
    }
    round.generated.addAndGet(generated);
  }

  private static String percentiles(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(d -> d).sorted().toArray();
    if (sorted.length == 0) {
      return "none";
    }
    return Stream.of(50, 95, 99)
        .map(p ->
            String.format(
                Locale.ROOT,
                "%d%% %.3f",
                p,
                sorted[Math.min(sorted.length - 1, sorted.length * p / 100)]))
        .collect(Collectors.joining(", "));
  }
}
