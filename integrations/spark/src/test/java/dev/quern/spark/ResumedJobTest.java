package dev.quern.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is written is not run again, and is what one run would have written: docs/spark.md.
class ResumedJobTest {
  private static final int ROWS = 24;
  private static final int WRITTEN = 2; // partitions

  @TempDir Path folder;
  private final SparkSession spark = LocalSpark.session();
  private final QuernBatch batch = LocalSpark.demo(12).build();

  /// Partitions behind the first ones wait until their job is cancelled.
  private static final class Held implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) throws InterruptedException {
      if (TaskContext.getPartitionId() >= WRITTEN) {
        new CountDownLatch(1).await();
      }
      return rows;
    }
  }

  @Test
  void anInterruptedJobGoesOnFromWhatWasWritten() throws Exception {
    Dataset<Row> prompts = LocalSpark.table(spark, LocalSpark.stories(ROWS), 6);
    String out = folder.resolve("out").toString();
    Dataset<Row> held = prompts.mapPartitions(new Held(), Encoders.row(prompts.schema()));
    Thread canceller =
        Thread.ofPlatform()
            .start(() -> {
              while (committed(Path.of(out)) < WRITTEN) {
                try {
                  TimeUnit.MILLISECONDS.sleep(50);
                } catch (InterruptedException e) {
                  return; // the test has failed
                }
              }
              spark.sparkContext().cancelAllJobs();
            });
    try {
      assertThrows(Exception.class, () -> write(batch.complete(held), out));
    } finally {
      canceller.interrupt();
      canceller.join();
    }
    long written = spark.read().parquet(out).count();
    assertTrue(written > 0 && written < ROWS, written + " rows");

    Dataset<Row> remaining = batch.remaining(prompts, spark.read().parquet(out));
    assertEquals(ROWS - written, remaining.count());
    write(batch.complete(remaining), out);

    assertEquals(
        LocalSpark.texts(batch.complete(prompts)), LocalSpark.texts(spark.read().parquet(out)));
    assertEquals(0, batch.remaining(prompts, spark.read().parquet(out)).count());
  }

  /// Tasks' files are there as soon as tasks have ended, and not all at the end of the job.
  private static void write(Dataset<Row> rows, String out) {
    rows.write()
        .mode(SaveMode.Append)
        .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
        .parquet(out);
  }

  private static long committed(Path out) {
    if (!Files.isDirectory(out)) {
      return 0;
    }
    try (var files = Files.list(out)) {
      return files.filter(f -> f.toString().endsWith(".parquet")).count();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aStreamCompletesWhatComes() throws Exception {
    Path in = Files.createDirectory(folder.resolve("in"));
    String out = folder.resolve("out").toString();
    List<Row> rows = LocalSpark.stories(8);
    Dataset<Row> source = spark.readStream().schema(LocalSpark.PROMPTS).json(in.toString());
    for (int half = 0; half < 2; half++) {
      StringBuilder lines = new StringBuilder();
      for (Row row : rows.subList(4 * half, 4 * half + 4)) {
        lines.append(
            "{\"id\":\"" + row.getString(0) + "\",\"prompt\":\"" + row.getString(1) + "\"}\n");
      }
      Files.writeString(in.resolve(half + ".json"), lines);
      StreamingQuery query =
          batch
              .complete(source)
              .writeStream()
              .format("parquet")
              .option("checkpointLocation", folder.resolve("checkpoint").toString())
              .trigger(Trigger.AvailableNow())
              .start(out);
      query.awaitTermination();
      assertEquals(4 * half + 4, spark.read().parquet(out).count());
    }
    assertEquals(
        LocalSpark.texts(batch.complete(LocalSpark.table(spark, rows, 2))),
        LocalSpark.texts(spark.read().parquet(out)));
  }
}
