package dev.quern.spark;

import dev.quern.Blame;
import dev.quern.QuernException;
import dev.quern.llama.Completion;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.Piece;
import dev.quern.llama.PieceListener;
import dev.quern.llama.StopReason;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatTemplate;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/// The rows of a task, completed, in their order. Some more than run at once are under way, so that
/// the engine is never without work, and no more than those are in memory.
///
/// What is wrong with a row is in the row; every other failure is thrown, and fails the task.
final class CompletedRows implements Iterator<Row> {
  private static final double NANOS_OF_MILLI = 1e6;
  private static final double MILLIS = 1e3;

  private final Iterator<Row> rows;
  private final ProcessModels.Shared shared;
  private final RowReader reader;
  private final GenerationOptions usual;
  private final ChatOptions chat;
  private final int window;
  private final Deque<Pending> pending = new ConcurrentLinkedDeque<>();
  private volatile boolean cancelled;
  private ChatTemplate template; // where there are messages

  CompletedRows(
      Iterator<Row> rows,
      ProcessModels.Shared shared,
      TextPlan text,
      RowReader reader,
      int parallel) {
    this.rows = rows;
    this.shared = shared;
    this.reader = reader;
    usual = text.options(shared.constraints());
    chat = text.chat();
    window = 2 * parallel;
  }

  /// A row that has begun.
  private interface Pending {
    /// Waits for it.
    Row await();

    void cancel();
  }

  @Override
  public boolean hasNext() {
    return !pending.isEmpty() || rows.hasNext();
  }

  @Override
  public Row next() {
    while (pending.size() < window && rows.hasNext()) {
      pending.add(begin(rows.next()));
      if (cancelled) {
        cancel();
        throw new IllegalStateException("the task has ended: no more of its rows are run");
      }
    }
    Pending first = pending.peek();
    if (first == null) {
      throw new NoSuchElementException();
    }
    Row row = first.await();
    pending.remove();
    return row;
  }

  /// The task has ended: nobody wants what is under way. Rows may be asked for by another thread
  /// than the one that ends tasks, as Spark's writers to Python do.
  void cancel() {
    cancelled = true;
    pending.forEach(Pending::cancel);
  }

  private Pending begin(Row row) {
    Long seed = null;
    try {
      seed = reader.seed(row, usual.sampling().seed());
      EngineRequest request =
          EngineRequest.of(prompt(row), usual.withSampling(usual.sampling().withSeed(seed)));
      return new Running(row, request);
    } catch (QuernException e) {
      return new Failed(failed(row, seed, e));
    }
  }

  private int[] prompt(Row row) {
    if (!reader.hasMessages()) {
      return shared.model().tokenizer().encodeBeginning(reader.text(row), false);
    }
    if (template == null) {
      template = shared.model().chatTemplate();
    }
    return template.render(reader.messages(row), chat).tokens();
  }

  /// @throws QuernException the failure, where it is not the row's
  private Row failed(Row row, Long seed, QuernException failure) {
    if (failure.blame() != Blame.CALLER) {
      throw failure;
    }
    return with(
        row,
        RowFactory.create(
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            shared.provider(),
            seed,
            failure.getMessage()));
  }

  private static Row with(Row row, Row result) {
    Object[] values = new Object[row.size() + 1];
    for (int i = 0; i < row.size(); i++) {
      values[i] = row.get(i);
    }
    values[row.size()] = result;
    return RowFactory.create(values);
  }

  private record Failed(Row await) implements Pending {
    @Override
    public void cancel() {} // it has ended
  }

  /// A row in the engine, whose text it hears.
  private final class Running implements Pending, PieceListener {
    private final Row row;
    private final EngineRequest request;
    private final int promptTokens;
    private final StringBuilder text = new StringBuilder(); // read when the completion has ended
    private final long began = System.nanoTime();
    private final Completion completion;
    private long ended;

    Running(Row row, EngineRequest request) {
      this.row = row;
      this.request = request;
      promptTokens = request.prompt().length;
      completion = shared.engine().submitPieces(request, this);
    }

    @Override
    public void accept(Piece piece) {
      text.append(piece.text());
    }

    @Override
    public void end(Generation generation) {
      ended = System.nanoTime();
    }

    @Override
    public void cancel() {
      completion.cancel();
    }

    @Override
    public Row await() {
      long seed = request.options().sampling().seed();
      Generation generation;
      try {
        generation = completion.await();
      } catch (QuernException e) {
        return failed(row, seed, e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("the task was interrupted: its rows are run again", e);
      }
      if (generation.stop() == StopReason.CANCELLED) {
        throw new IllegalStateException(
            "the model was closed while a row ran, since the process ends: its task is run again");
      }
      return with(
          row,
          RowFactory.create(
              text.toString(),
              promptTokens,
              generation.tokens().size(),
              generation.stop().name(),
              (ended - began) / NANOS_OF_MILLI,
              generation.prefillSeconds() * MILLIS,
              generation.decodeSeconds() * MILLIS,
              shared.provider(),
              seed,
              null));
    }
  }
}
