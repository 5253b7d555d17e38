package dev.quern.spark;

import dev.quern.demo.DemoModelFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// A session in this process, and tables for tests.
final class LocalSpark {
  static final StructType PROMPTS =
      new StructType().add("id", DataTypes.StringType).add("prompt", DataTypes.StringType);

  private static final List<String> NAMES = List.of("Tom", "Lily", "Ben", "Anna", "Max", "Sue");
  private static final List<String> PLACES = List.of("the park", "a farm", "the sea", "a wood");

  private LocalSpark() {}

  /// The same for all tests, with two tasks at once.
  static SparkSession session() {
    return builder()
        .master("local[2]")
        .config("spark.sql.codegen.wholeStage", false) // compiling takes longer than these rows
        .config("spark.sql.adaptive.enabled", false)
        .getOrCreate();
  }

  static SparkSession.Builder builder() {
    return SparkSession.builder()
        .appName("quern-spark-tests")
        .config("spark.ui.enabled", false)
        .config("spark.driver.host", "localhost")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 2);
  }

  /// The demo model as a file, which stays: Spark looks at it again as long as a session lasts.
  static Path demoFile() throws IOException {
    Path file = Path.of("target", "spark-tests", "demo.gguf").toAbsolutePath();
    Files.createDirectories(file.getParent());
    try (InputStream demo = DemoModelFile.open()) {
      Files.copy(demo, file, StandardCopyOption.REPLACE_EXISTING);
    }
    return file;
  }

  /// Executors that are processes, with a core and a GB each. Spark starts them with the JARs of
  /// `SPARK_HOME`, where there are none: they have the class path of this process.
  ///
  /// @param option one more, with its value
  static SparkSession cluster(int executors, String option, String value) throws IOException {
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    return builder()
        .master("local-cluster[" + executors + ",1,1024]")
        .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
        .config(option, value)
        .getOrCreate();
  }

  /// Executors of [#cluster]: the driver starts no other processes. (Their command lines are longer
  /// than what the JDK reads of one.)
  static List<ProcessHandle> executors() {
    return ProcessHandle.current().children().filter(ProcessHandle::isAlive).toList();
  }

  /// Beginnings of stories, each once.
  static List<Row> stories(int count) {
    return IntStream.range(0, count)
        .mapToObj(i ->
            RowFactory.create(
                "story-" + i,
                "Once upon a time "
                    + NAMES.get(i % NAMES.size())
                    + " went to "
                    + PLACES.get(i / NAMES.size() % PLACES.size())
                    + " and saw "
                    + i
                    + " birds."))
        .toList();
  }

  static Dataset<Row> table(SparkSession spark, List<Row> rows, int partitions) {
    return spark.createDataFrame(rows, PROMPTS).repartition(partitions);
  }

  /// A batch on the demo model with drawn texts.
  static QuernBatchBuilder demo(int maxTokens) {
    return QuernBatch.builder().demo().keyColumn("id").maxTokens(maxTokens).context(256);
  }

  /// What must be the same wherever rows run: all but times, by key.
  static List<String> texts(Dataset<Row> completed) {
    List<String> texts = new ArrayList<>();
    for (Row row : completed.collectAsList()) {
      Row c = row.getStruct(row.fieldIndex("completion"));
      texts.add(
          row.getString(0)
              + " "
              + List.of(c.getString(0), c.getInt(1), c.getInt(2), c.getString(3), c.getLong(8))
              + " "
              + c.get(9));
    }
    texts.sort(Comparator.naturalOrder());
    return texts;
  }
}
