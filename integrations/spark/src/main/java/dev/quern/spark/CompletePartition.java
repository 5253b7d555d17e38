package dev.quern.spark;

import java.io.IOException;
import java.util.Collections;
import java.util.Iterator;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/// What a task does with its rows.
record CompletePartition(ModelPlan model, TextPlan text, RowReader reader)
    implements MapPartitionsFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Iterator<Row> rows) throws IOException {
    if (!rows.hasNext()) { // many are empty behind a shuffle, and none of those needs a model
      return Collections.emptyIterator();
    }
    TaskContext task = TaskContext.get();
    ProcessModels.Shared shared =
        ProcessModels.OF_PROCESS.acquire(
            model, () -> ExecutorThreads.of(SparkEnv.get(), task.cpus()));
    CompletedRows completed = new CompletedRows(rows, shared, text, reader, model.parallel());
    task.addTaskCompletionListener(_ -> {
      completed.cancel();
      ProcessModels.OF_PROCESS.release(shared);
    });
    return completed;
  }
}
