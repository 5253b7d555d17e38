package dev.quern.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Executors that are processes, one of which is killed while it runs rows: none is lost, none is
/// doubled, and each is what one process alone would have written.
class LocalClusterIT {
  private static final int ROWS = 96;
  private static final int PARTITIONS = 12;

  @TempDir Path folder;

  @BeforeAll
  static void unlessFull() {
    LeftOut.unlessFull(LocalClusterIT.class, "a cluster of processes");
  }

  /// Kills an executor when the first task of rows has ended, and others run.
  private static final class Killer extends SparkListener {
    final AtomicReference<ProcessHandle> killed = new AtomicReference<>();
    final AtomicInteger removed = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (!end.taskInfo().successful()) {
        failed.incrementAndGet();
      } else if (killed.get() == null && end.stageId() > 0) {
        ProcessHandle executor = LocalSpark.executors().getFirst();
        killed.set(executor);
        executor.destroyForcibly();
      }
    }

    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
      removed.incrementAndGet();
    }
  }

  @Test
  void aKilledExecutorLosesAndDoublesNothing() throws Exception {
    List<Row> rows = LocalSpark.stories(ROWS);
    Path file = LocalSpark.demoFile();
    List<String> alone;
    try (SparkSession spark = LocalSpark.builder().master("local[1]").getOrCreate()) {
      alone =
          LocalSpark.texts(LocalSpark.demo(60).build().complete(LocalSpark.table(spark, rows, 1)));
    }
    assertEquals(ROWS, alone.size());

    Killer killer = new Killer();
    try (SparkSession spark = LocalSpark.cluster(2, "spark.files", file.toString())) {
      spark.sparkContext().addSparkListener(killer);
      QuernBatch batch =
          QuernBatch.builder()
              .sparkFile("demo.gguf")
              .keyColumn("id")
              .maxTokens(60)
              .context(256)
              .build();
      String out = folder.resolve("out").toString();
      batch.complete(LocalSpark.table(spark, rows, PARTITIONS)).write().parquet(out);
      assertTrue(
          killer.killed.get() != null && !killer.killed.get().isAlive(), "nobody was killed");
      assertTrue(killer.removed.get() > 0, "no executor was lost");
      assertEquals(alone, LocalSpark.texts(spark.read().parquet(out)));
      System.out.println(
          "[quern] LocalClusterIT: an executor was killed, "
              + killer.failed.get()
              + " tasks were run again");
    }
  }
}
