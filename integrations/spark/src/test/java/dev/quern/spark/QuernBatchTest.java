package dev.quern.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.SyntheticModel;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkFiles;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuernBatchTest {
  private static final int TOKENS = 16;
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.session();
  }

  /// The text of a row alone, without Spark.
  private static String alone(String prompt, long seed) throws Exception {
    LoadOptions load = LoadOptions.defaults();
    load = load.withKernels(load.kernels().with("quern.numerics", "invariant")).withContext(256);
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.loadDemo(load);
        LlamaSession session = model.newSession()) {
      session.generate(
          prompt, GenerationOptions.of(TOKENS, SamplingOptions.standard(seed)), text::append);
    }
    return text.toString();
  }

  @Test
  void rowsComeOutInTheirOrderWithWhatTheModelSaysToEachAlone() throws Exception {
    List<Row> rows = LocalSpark.stories(40); // more than are under way at once
    Dataset<Row> prompts = spark.createDataFrame(rows, LocalSpark.PROMPTS).coalesce(1);
    List<Row> completed = LocalSpark.demo(TOKENS).build().complete(prompts).collectAsList();
    assertEquals(rows.size(), completed.size());
    for (int i = 0; i < rows.size(); i++) {
      Row row = completed.get(i);
      assertEquals(rows.get(i), RowFactory.create(row.get(0), row.get(1)));
      Row result = row.getStruct(2);
      assertNull(result.getAs("error"));
      assertTrue(result.<Integer>getAs("prompt_tokens") > 5, result::toString);
      assertEquals("MAX_TOKENS", result.getAs("stop"));
      assertEquals(TOKENS, result.<Integer>getAs("completion_tokens"));
      assertTrue(result.<String>getAs("provider").contains("linear: "), result::toString);
      double prefill = result.<Double>getAs("prefill_milliseconds");
      assertTrue(prefill > 0 && prefill <= result.<Double>getAs("milliseconds"), result::toString);
      assertTrue(result.<Double>getAs("decode_milliseconds") > 0, result::toString);
    }
    for (int i : List.of(0, 39)) {
      Row result = completed.get(i).getStruct(2);
      assertEquals(alone(rows.get(i).getString(1), result.getAs("seed")), result.getAs("text"));
    }
  }

  @Test
  void textsAreTheSameHoweverRowsLie() {
    List<Row> rows = LocalSpark.stories(24);
    QuernBatch batch = LocalSpark.demo(TOKENS).build();
    List<String> texts = LocalSpark.texts(batch.complete(LocalSpark.table(spark, rows, 1)));
    assertEquals(24, texts.stream().distinct().count());
    QuernBatch other = LocalSpark.demo(TOKENS).parallel(3).build();
    assertEquals(
        texts, LocalSpark.texts(other.complete(LocalSpark.table(spark, rows.reversed(), 5))));
    QuernBatch seeded = LocalSpark.demo(TOKENS).sampling(SamplingOptions.standard(43)).build();
    assertNotEquals(texts, LocalSpark.texts(seeded.complete(LocalSpark.table(spark, rows, 1))));
  }

  @Test
  void whatIsWrongWithARowIsInTheRow() {
    List<Row> rows = new ArrayList<>(LocalSpark.stories(6));
    rows.set(1, RowFactory.create("null", null));
    rows.set(3, RowFactory.create("long", "Tom ran. ".repeat(200)));
    rows.set(4, RowFactory.create(null, "Tom ran."));
    Dataset<Row> prompts = spark.createDataFrame(rows, LocalSpark.PROMPTS).coalesce(1);
    List<Row> completed = LocalSpark.demo(TOKENS).build().complete(prompts).collectAsList();
    List<String> errors = new ArrayList<>();
    for (Row row : completed) {
      Row result = row.getStruct(2);
      assertEquals(result.getAs("error") == null, result.getAs("text") != null);
      errors.add(result.getAs("error"));
    }
    assertEquals(6, errors.size());
    assertEquals("prompt: null, expected a text, or messages", errors.get(1));
    assertTrue(errors.get(3).contains("256"), errors.get(3));
    assertTrue(errors.get(4).startsWith("key: null"), errors.get(4));
    errors.removeIf(e -> e != null);
    assertEquals(3, errors.size());
  }

  @Test
  void messagesAreWrittenByTheTemplate() {
    StructType message =
        new StructType().add("role", DataTypes.StringType).add("content", DataTypes.StringType);
    StructType schema =
        new StructType().add("chat", new ArrayType(message, true)).add("other", DataTypes.DateType);
    List<Row> rows =
        List.of(
            RowFactory.create(
                List.of(RowFactory.create("user", "Once upon a time, there was a")),
                java.sql.Date.valueOf("2026-11-30")),
            RowFactory.create(List.of(RowFactory.create("user", null)), null),
            RowFactory.create(List.of(), null));
    List<Row> completed =
        QuernBatch.builder()
            .demo()
            .context(256)
            .promptColumn("chat")
            .resultColumn("reply")
            .maxTokens(TOKENS)
            .build()
            .complete(spark.createDataFrame(rows, schema).coalesce(1))
            .collectAsList();
    Row reply = completed.getFirst().getAs("reply");
    assertNull(reply.getAs("error"));
    assertFalse(reply.<String>getAs("text").isBlank());
    assertEquals(rows.getFirst().get(1), completed.getFirst().get(1));
    Row without = completed.get(1).getAs("reply");
    assertTrue(without.<String>getAs("error").startsWith("message 0: null"), without::toString);
    Row none = completed.get(2).getAs("reply");
    assertTrue(none.<String>getAs("error").startsWith("messages: none"), none::toString);
  }

  @Test
  void theTemplateHasTheVariablesOfTheBatch(@TempDir Path folder) throws Exception {
    Path file =
        new SyntheticModel()
            .with("tokenizer.chat_template", "{{ day }}{{ messages[0].content }}")
            .write(folder.resolve("m.gguf"));
    StructType message =
        new StructType().add("role", DataTypes.StringType).add("content", DataTypes.StringType);
    StructType schema = new StructType().add("prompt", new ArrayType(message, true));
    Row row = RowFactory.create(List.of(RowFactory.create("user", "Hi")));
    List<Integer> lengths = new ArrayList<>();
    for (String day : List.of("", "Tuesday")) {
      Row completion =
          QuernBatch.builder()
              .modelPath(file.toString())
              .context(64)
              .maxTokens(1)
              .templateVariable("day", day)
              .build()
              .complete(spark.createDataFrame(List.of(row), schema))
              .collectAsList()
              .getFirst()
              .getAs("completion");
      assertNull(completion.getAs("error"));
      lengths.add(completion.getAs("prompt_tokens"));
    }
    // The vocabulary is of single bytes.
    assertEquals("Tuesday".length(), lengths.get(1) - lengths.get(0));
  }

  @Test
  void aSchemaAndStopStringsAreKeptTo() {
    Dataset<Row> prompts = LocalSpark.table(spark, LocalSpark.stories(4), 2);
    String schema = "{\"enum\": [\"happy\", \"sad\"]}";
    for (Row row :
        LocalSpark.demo(50).jsonSchema(schema).build().complete(prompts).collectAsList()) {
      String text = row.getStruct(2).getAs("text");
      assertTrue(List.of("\"happy\"", "\"sad\"").contains(text), text);
    }
    for (Row row : LocalSpark.demo(100).stop("e").build().complete(prompts).collectAsList()) {
      Row result = row.getStruct(2);
      assertFalse(result.<String>getAs("text").contains("e"), result::toString);
      assertEquals("STOP_STRING", result.getAs("stop"));
    }
  }

  @Test
  void aModelOfSparksFilesIsCheckedByItsHash() throws Exception {
    Path file = LocalSpark.demoFile();
    spark.sparkContext().addFile(file.toString());
    QuernBatchBuilder named =
        QuernBatch.builder().sparkFile("demo.gguf").keyColumn("id").maxTokens(TOKENS).context(256);
    Dataset<Row> prompts = LocalSpark.table(spark, LocalSpark.stories(4), 2);
    assertEquals(
        LocalSpark.texts(LocalSpark.demo(TOKENS).build().complete(prompts)),
        LocalSpark.texts(named.build().complete(prompts)));

    String hash = ModelHash.of(Path.of(SparkFiles.get("demo.gguf")));
    Dataset<Row> right = named.sha256(hash).build().complete(prompts);
    assertEquals(4, right.count());
    Dataset<Row> wrong =
        QuernBatch.builder()
            .modelPath(file.toString())
            .sha256("0".repeat(64))
            .build()
            .complete(prompts);
    String message = messages(assertThrows(Exception.class, wrong::collectAsList));
    assertTrue(message.contains("expected 0000"), message);
    assertTrue(message.contains(hash), message);
  }

  private static String messages(Throwable failure) {
    StringBuilder all = new StringBuilder();
    for (Throwable t = failure; t != null; t = t.getCause()) {
      all.append(t.getMessage()).append('\n');
    }
    return all.toString();
  }

  @Test
  void aModelThatCantRunFailsTheJobAndNoRow() {
    Dataset<Row> prompts = LocalSpark.table(spark, LocalSpark.stories(4), 2);
    Dataset<Row> completed = LocalSpark.demo(TOKENS).provider("nobody").build().complete(prompts);
    String message = messages(assertThrows(Exception.class, completed::collectAsList));
    assertTrue(message.contains("nobody"), message);
  }

  @Test
  void mistakesAreRefusedOnTheDriver() {
    Dataset<Row> prompts = LocalSpark.table(spark, LocalSpark.stories(2), 1);
    refused(
        "column text: not in the table",
        () -> demo().promptColumn("text").build().complete(prompts));
    refused("column id: there already", () -> demo().resultColumn("id").build().complete(prompts));
    refused(
        "of type double",
        () ->
            demo()
                .keyColumn("id")
                .build()
                .complete(prompts.withColumn("id", prompts.col("id").cast("double"))));
    refused(
        "of type bigint, expected string, or array",
        () ->
            demo()
                .promptColumn("n")
                .build()
                .complete(prompts.selectExpr("cast(1 as bigint) as n")));
    refused("no key column", () -> demo().build().remaining(prompts, prompts));
    refused("parallel=0", () -> demo().parallel(0).build());
    refused("maxTokens=-1", () -> demo().maxTokens(-1).build());
    refused("sha256", () -> demo().sha256("abc").build());
    refused("schema", () -> demo().jsonSchema("{\"type\": 1}").build());
    LlamaException absent =
        assertThrows(
            LlamaException.class,
            () -> QuernBatch.builder().modelPath("/no/such.gguf").build().complete(prompts));
    assertTrue(absent.getMessage().contains("not on the driver"), absent.getMessage());
    assertThrows(IllegalArgumentException.class, () -> QuernBatch.builder().build());
    assertThrows(IllegalArgumentException.class, () -> demo().modelPath("a.gguf"));
  }

  private static QuernBatchBuilder demo() {
    return QuernBatch.builder().demo();
  }

  private static void refused(String reason, org.junit.jupiter.api.function.Executable call) {
    RequestException e = assertThrows(RequestException.class, call);
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }
}
