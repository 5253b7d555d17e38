package dev.quern.spark;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.RequestException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/// Completes the rows of a table of prompts where they lie: in the executors of a Spark
/// application, each of which loads the model once and runs the rows of all its tasks in one
/// engine.
///
/// ```java
/// QuernBatch batch =
///     QuernBatch.builder().modelPath("/models/model.gguf").keyColumn("id").maxTokens(200).build();
/// batch.complete(spark.read().parquet("prompts")).write().parquet("completions");
/// ```
///
/// A row's text depends on the model, the options, its prompt and its key, and not on where or how
/// often it is run: seeds follow from keys, and kernels are asked for under
/// `quern.numerics=invariant`. On machines whose CPUs differ, other kernels may round otherwise;
/// the column says which ran.
///
/// Immutable, and for any threads of the driver.
///
/// @since 0.1
/// @stability api
public final class QuernBatch {
  private final ModelPlan model;
  private final TextPlan text;
  private final BatchColumns columns;
  private ModelPlan checked; // with its hash, from when it is first needed; guarded by this

  QuernBatch(ModelPlan model, TextPlan text, BatchColumns columns) {
    this.model = model;
    this.text = text;
    this.columns = columns;
  }

  public static QuernBatchBuilder builder() {
    return new QuernBatchBuilder();
  }

  /// The same rows in the same order, with one more column: a struct of
  ///
  /// - `text`: the continuation, or the reply
  /// - `prompt_tokens`, `completion_tokens`
  /// - `stop`: the name of a [dev.quern.llama.StopReason]
  /// - `milliseconds` from when the row was given to the engine, waiting included;
  ///   `prefill_milliseconds` and `decode_milliseconds` of it, which rows share that run together
  /// - `provider`: who ran it, as [dev.quern.KernelReport#summary()] says it
  /// - `seed`: what it was drawn with
  /// - `error`: what is wrong with the row, where something is; most others are null then
  ///
  /// A streaming `Dataset` is completed as any other. Nothing is run before an action.
  ///
  /// @throws RequestException where a column is absent, or of another type than it should be
  /// @throws LlamaException where the model's file, whose hash the driver takes unless it is given,
  ///   is not there
  public Dataset<Row> complete(Dataset<Row> prompts) {
    RowReader reader = columns.reader(prompts.schema());
    return prompts.mapPartitions(
        new CompletePartition(checked(), text, reader), Encoders.row(columns.with(prompts)));
  }

  /// The rows of `prompts` whose keys `done` lacks: what is still to do where a job was
  /// interrupted.
  ///
  /// @param done what [#complete] made and was written, whole or not
  /// @throws RequestException where the batch has no key column, or a table lacks it
  public Dataset<Row> remaining(Dataset<Row> prompts, Dataset<Row> done) {
    String key = columns.requireKey();
    columns.reader(prompts.schema());
    BatchColumns.require(key, done.schema(), "what is done");
    return prompts.join(
        done.select(done.col(BatchColumns.quoted(key)).as("quern_done")),
        prompts
            .col(BatchColumns.quoted(key))
            .equalTo(org.apache.spark.sql.functions.col("quern_done")),
        "left_anti");
  }

  private synchronized ModelPlan checked() {
    if (checked == null) {
      try {
        checked = model.withHashOfDriver();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return checked;
  }
}
