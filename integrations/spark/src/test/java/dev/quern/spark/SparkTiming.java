package dev.quern.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/// What a table of prompts costs; not a test, run its `main` (docs/spark.md):
///
/// ```
/// SparkTiming MODEL TOKENS ROWS EXECUTORS,... ROWS,...
/// ```
///
/// For each number of executors, `ROWS` rows of `TOKENS` tokens in that many processes of a thread
/// each, and in one process with as many threads; then so many rows as the last argument says, of 4
/// tokens, in one process with two. Each session runs some rows before it is timed. `RSS` and `PSS`
/// are those of an executor, and of what it has mapped of the model's file.
final class SparkTiming {
  private static final String LINE = "%-34s %8s %9s %10s %9s %8s %8s %10s %10s%n";
  private static final int WARM = 64;

  private final String model;
  private final int tokens;

  private SparkTiming(String model, int tokens) {
    this.model = Path.of(model).toAbsolutePath().toString();
    this.tokens = tokens;
  }

  public static void main(String[] args) throws IOException {
    SparkTiming timing = new SparkTiming(args[0], Integer.parseInt(args[1]));
    int rows = Integer.parseInt(args[2]);
    System.out.printf(
        Locale.ROOT,
        LINE,
        "",
        "rows",
        "seconds",
        "tokens/s",
        "ms a row",
        "RSS MB",
        "PSS MB",
        "file RSS",
        "file PSS");
    for (int executors : numbers(args[3])) {
      try (SparkSession spark = LocalSpark.cluster(executors, "spark.executor.cores", "1")) {
        System.out.print(timing.line(executors + " executors of a thread", spark, executors, rows));
      }
      try (SparkSession spark = local(executors)) {
        System.out.print(timing.line("one process, threads=" + executors, spark, executors, rows));
      }
    }
    SparkTiming few = new SparkTiming(args[0], 4);
    try (SparkSession spark = local(2)) {
      for (int many : numbers(args[4])) {
        System.out.print(few.line("4 tokens a row", spark, 2, many));
      }
    }
  }

  private static int[] numbers(String list) {
    return Arrays.stream(list.split(",")).mapToInt(Integer::parseInt).toArray();
  }

  private static SparkSession local(int threads) {
    return LocalSpark.builder().master("local[" + threads + "]").getOrCreate();
  }

  private String line(String what, SparkSession spark, int threads, int count) throws IOException {
    boolean processes = what.contains("executors");
    QuernBatch batch =
        QuernBatch.builder()
            .modelPath(model)
            .keyColumn("id")
            .maxTokens(tokens)
            .context(256)
            .threads(processes ? 1 : threads)
            .build();
    List<Row> all = LocalSpark.stories(count);
    Dataset<Row> warm = LocalSpark.table(spark, all.subList(0, Math.min(count, WARM)), 2 * threads);
    batch.complete(warm).count();
    Dataset<Row> prompts = LocalSpark.table(spark, all, 4 * threads).cache();
    prompts.count();
    long began = System.nanoTime();
    Row sums =
        batch
            .complete(prompts)
            .selectExpr("sum(completion.completion_tokens)", "count(completion.text)")
            .first();
    double seconds = (System.nanoTime() - began) / 1e9;
    if (sums.getLong(1) != count) {
      throw new IllegalStateException(sums + ": rows have failed, of " + count);
    }
    long pid = processes ? LocalSpark.executors().getFirst().pid() : ProcessHandle.current().pid();
    Map<String, Long> process = kilobytes(Path.of("/proc/" + pid + "/smaps"), "");
    Map<String, Long> file = kilobytes(Path.of("/proc/" + pid + "/smaps"), model);
    return String.format(
        Locale.ROOT,
        LINE,
        what,
        count,
        String.format(Locale.ROOT, "%.2f", seconds),
        String.format(Locale.ROOT, "%.0f", sums.getLong(0) / seconds),
        String.format(Locale.ROOT, "%.2f", 1e3 * seconds / count),
        process.get("Rss") / 1024,
        process.get("Pss") / 1024,
        megabytes(file.get("Rss")),
        megabytes(file.get("Pss")));
  }

  private static String megabytes(long kilobytes) {
    return String.format(Locale.ROOT, "%.1f", kilobytes / 1024.0);
  }

  /// Sums of what a process has mapped.
  ///
  /// @param smaps Linux's table of them
  /// @param file its mappings alone, or of all where it is empty
  private static Map<String, Long> kilobytes(Path smaps, String file) throws IOException {
    Map<String, Long> sums = new TreeMap<>(Map.of("Rss", 0L, "Pss", 0L));
    boolean counted = false;
    for (String line : Files.readAllLines(smaps)) {
      String[] words = line.split(":? +");
      if (words[0].contains("-")) {
        counted = file.isEmpty() || line.endsWith(file);
      } else if (counted && sums.containsKey(words[0])) {
        sums.merge(words[0], Long.parseLong(words[1]), Long::sum);
      }
    }
    return sums;
  }
}
