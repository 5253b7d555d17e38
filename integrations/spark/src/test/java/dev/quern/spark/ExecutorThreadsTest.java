package dev.quern.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import java.util.List;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class ExecutorThreadsTest {
  @Test
  void theyAreThoseOfAllTasksAtOnce() {
    assertEquals(8, ExecutorThreads.of(8, 1));
    assertEquals(8, ExecutorThreads.of(8, 4));
    assertEquals(6, ExecutorThreads.of(8, 3)); // two tasks: two processors are nobody's
    assertEquals(1, ExecutorThreads.of(1, 1));
  }

  @Test
  void aLocalMasterNamesThem() {
    assertEquals(1, ExecutorThreads.local(master("local")));
    assertEquals(3, ExecutorThreads.local(master("local[3]")));
    assertEquals(3, ExecutorThreads.local(master("local[3,2]")));
    assertEquals(
        Runtime.getRuntime().availableProcessors(), ExecutorThreads.local(master("local[*]")));
    assertThrows(LlamaException.class, () -> ExecutorThreads.local(master("spark://h:7077")));
  }

  @Test
  void anExecutorIsToldThem() {
    SparkConf conf = new SparkConf(false);
    assertEquals(5, ExecutorThreads.cores(conf, List.of("--hostname", "h", "--cores", "5")));
    LlamaException unknown =
        assertThrows(LlamaException.class, () -> ExecutorThreads.cores(conf, List.of("--cores")));
    assertTrue(unknown.getMessage().contains("threads(...)"), unknown.getMessage());
    conf.set("spark.executor.cores", "4");
    assertEquals(4, ExecutorThreads.cores(conf, List.of()));
    assertEquals(2, ExecutorThreads.cores(conf, List.of("--cores", "2"))); // what it was given
  }

  private static SparkConf master(String master) {
    return new SparkConf(false).set("spark.master", master);
  }
}
