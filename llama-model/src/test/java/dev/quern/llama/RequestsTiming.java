package dev.quern.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.KernelOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// An [Engine] beside llama.cpp's server, under 32 requests that come at random; not a test, run
/// its `main` (docs/benchmarks.md):
///
/// ```
/// llama-server -m MODEL -t 2 -np 8 -c 4096 --port 18080
/// RequestsTiming MODEL http://localhost:18080 ROUNDS [PROVIDER]
/// ```
///
/// In each round both get the same requests at the same times, in turn: 256 tokens of prompt that
/// nobody has seen, 64 to be generated. Printed is the time from the first request to the last
/// token.
final class RequestsTiming {
  private static final int REQUESTS = 32;
  private static final int PROMPT = 256;
  private static final int TOKENS = 64;
  private static final double SECONDS_BETWEEN = 0.1; // on average, exponentially distributed

  private final LlamaModel model;
  private final URI server;
  private final HttpClient client = HttpClient.newHttpClient();
  private final SplittableRandom random = new SplittableRandom(7);

  private RequestsTiming(LlamaModel model, URI server) {
    this.model = model;
    this.server = server.resolve("/completion");
  }

  public static void main(String[] args)
      throws IOException, InterruptedException, ExecutionException {
    KernelOptions kernels = KernelOptions.fromSystem();
    if (args.length > 3) {
      kernels = kernels.with("quern.provider", args[3]);
    }
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withThreads(2).withContext(512);
    try (LlamaModel model = LlamaModel.load(Path.of(args[0]), options)) {
      System.out.println(model.report().text());
      new RequestsTiming(model, URI.create(args[1])).run(Integer.parseInt(args[2]));
    }
  }

  /// A request: its prompt, and when it comes, in nanoseconds.
  private record Arrival(int[] prompt, long at) {}

  /// Runs a prompt, and returns when all is generated.
  private interface Runner {
    int run(int[] prompt) throws IOException, InterruptedException;
  }

  private void run(int rounds) throws InterruptedException, ExecutionException {
    double[] ratios = new double[rounds];
    try (Engine engine =
        model.newEngine(EngineOptions.defaults().withSequences(8).withPromptRows(512))) {
      time(arrivals(8), prompt -> ours(engine, prompt)); // warms up
      time(arrivals(8), this::theirs);
      for (int i = 0; i < rounds; i++) {
        List<Arrival> arrivals = arrivals(REQUESTS);
        double quern = time(arrivals, prompt -> ours(engine, prompt));
        double other = time(arrivals, this::theirs);
        ratios[i] = quern / other;
        System.out.printf(
            Locale.ROOT,
            "round %d: Quern %.1f s, the server %.1f s: %.3f%n",
            i + 1,
            quern,
            other,
            ratios[i]);
      }
      System.out.println(engine.metrics());
    }
    Arrays.sort(ratios);
    System.out.printf(
        Locale.ROOT,
        "median %.3f [%.3f .. %.3f]%n",
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1]);
  }

  private List<Arrival> arrivals(int requests) {
    List<Arrival> arrivals = new ArrayList<>();
    double at = 0;
    for (int i = 0; i < requests; i++) {
      int[] prompt = random.ints(PROMPT, 0, model.config().vocabulary()).toArray();
      arrivals.add(new Arrival(prompt, (long) (1e9 * at)));
      at -= SECONDS_BETWEEN * Math.log(1 - random.nextDouble());
    }
    return arrivals;
  }

  private static double time(List<Arrival> arrivals, Runner runner)
      throws InterruptedException, ExecutionException {
    long start = System.nanoTime();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> all = new ArrayList<>();
      for (Arrival a : arrivals) {
        Callable<Integer> request =
            () -> {
              Thread.sleep(Math.max(0, start + a.at - System.nanoTime()) / 1_000_000);
              return runner.run(a.prompt);
            };
        all.add(threads.submit(request));
      }
      for (Future<Integer> f : all) {
        if (f.get() != TOKENS) {
          throw new IllegalStateException(f.get() + " tokens, expected " + TOKENS);
        }
      }
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static int ours(Engine engine, int[] prompt) throws InterruptedException {
    GenerationOptions options = GenerationOptions.greedy(TOKENS).ignoringEnd();
    return engine.submit(EngineRequest.of(prompt, options), _ -> {}).await().tokens().size();
  }

  private int theirs(int[] prompt) throws IOException, InterruptedException {
    String body =
        new ObjectMapper()
            .writeValueAsString(
                Map.of(
                    "prompt",
                    prompt,
                    "n_predict",
                    TOKENS,
                    "ignore_eos",
                    true,
                    "temperature",
                    0,
                    "cache_prompt",
                    false));
    HttpRequest request =
        HttpRequest.newBuilder(server).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    String answer = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    return new ObjectMapper().readTree(answer).path("tokens_predicted").asInt();
  }
}
