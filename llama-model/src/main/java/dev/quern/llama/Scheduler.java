package dev.quern.llama;

import dev.quern.data.F32Matrix;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.sampling.LogitsException;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// An engine's thread: forms a batch of the sequences that run, runs it, and does so again.
final class Scheduler implements AutoCloseable {
  private final LlamaModel model;
  private final EngineOptions options;
  private final int batch; // most prompt rows of a step in which nobody decodes
  private final Arena arena = Arena.ofShared();
  private final ForwardPass forward;
  private final Thread thread;

  /// Of the engine's thread alone, like what they hold.
  private final List<Sequence> running = new ArrayList<>();

  private final PrefixCache prefixes;

  private final Deque<Sequence> waiting = new ArrayDeque<>(); // guarded by this
  private boolean closing; // guarded by this

  // What the metrics say, guarded by this.
  private int places; // sequences that run
  private long ended;
  private long rejected;
  private long steps;
  private long promptTokens;
  private long cachedTokens;
  private long generatedTokens;
  private long decodeSteps;
  private long decodedTokens;
  private long decodeNanos;

  Scheduler(LlamaModel model, EngineOptions options, LoadOptions load) {
    this.model = model;
    this.options = options;
    batch = Math.min(load.batch(), model.context());
    prefixes =
        new PrefixCache(
            options.prefixes(),
            () -> new KvCaches(model.config(), load.kv(), model.context(), model.hugePages()));
    try {
      int rows = options.sequences() + Math.max(batch, options.promptRows());
      ForwardPass.Limits limits =
          new ForwardPass.Limits(model.context(), rows, options.sequences());
      forward =
          new ForwardPass(
              model.config(),
              model.weights(),
              model.operatorsFor(options.sequences()),
              limits,
              model.workers(),
              arena);
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      arena.close();
      throw t;
    }
    thread = Thread.ofPlatform().daemon().name("quern-engine").start(this::run);
  }

  /// Puts a sequence into the queue.
  ///
  /// @return whether there was room
  synchronized boolean offer(Sequence sequence) {
    if (closing) {
      throw new IllegalStateException("engine: closed");
    }
    // Free places count: who waits will have them with the next step.
    if (waiting.size() >= options.queue() + options.sequences() - places) {
      rejected++;
      return false;
    }
    waiting.add(sequence);
    notifyAll();
    return true;
  }

  synchronized EngineMetrics metrics() {
    return new EngineMetrics(
        waiting.size(),
        places,
        ended,
        rejected,
        steps,
        promptTokens,
        cachedTokens,
        generatedTokens,
        decodeSteps,
        decodedTokens,
        decodeNanos / 1e9);
  }

  private void run() {
    while (admit()) {
      try {
        endCancelled();
        step();
      } catch (Throwable t) { // a provider's, or the system's: all in the batch hear of it
        Throwable failure =
            t instanceof InternalError e && SystemFailures.isLostPage(e)
                ? SystemFailures.lostPage(model.name(), e)
                : t;
        for (Sequence s : List.copyOf(running)) {
          fail(s, failure);
        }
      }
    }
    for (Sequence s : List.copyOf(running)) {
      end(s, StopReason.CANCELLED);
    }
  }

  /// Waits for work, and gives free places to those who came first.
  ///
  /// @return whether to go on
  private boolean admit() {
    List<Sequence> admitted = new ArrayList<>();
    synchronized (this) {
      try {
        while (!closing && running.isEmpty() && waiting.isEmpty()) {
          wait();
        }
      } catch (InterruptedException e) { // nobody has this thread but the engine
        closing = true;
      }
      if (closing) {
        return false;
      }
      while (places < options.sequences() && !waiting.isEmpty()) {
        admitted.add(waiting.poll());
        places++;
      }
    }
    admitted.forEach(this::start);
    return true;
  }

  private void start(Sequence s) {
    try {
      PrefixCache.Found found = prefixes.find(s.prompt(), running);
      s.start(found.caches(), found.tokens());
      running.add(s);
      synchronized (this) {
        cachedTokens += found.tokens();
      }
    } catch (Throwable t) { // no memory: this request's failure
      ended(1, 1);
      s.fail(t);
    }
  }

  private void endCancelled() {
    for (Sequence s : List.copyOf(running)) {
      if (s.isCancelled()) {
        end(s, StopReason.CANCELLED);
      }
    }
    List<Sequence> gone = new ArrayList<>();
    synchronized (this) {
      for (Sequence s : List.copyOf(waiting)) {
        if (s.isCancelled()) {
          waiting.remove(s);
          gone.add(s);
        }
      }
    }
    ended(0, gone.size());
    gone.forEach(s -> s.end(StopReason.CANCELLED));
  }

  /// A forward pass: a token of each sequence that decodes, and as many of the prompts of others as
  /// the options allow beside them, those of who came first.
  private void step() {
    if (running.isEmpty()) {
      return;
    }
    final long start = System.nanoTime();
    boolean decoding = running.stream().anyMatch(Sequence::isDecoding);
    int left = decoding ? options.promptRows() : batch; // rows for prompts
    int prompts = 0;
    record Member(Sequence sequence, ForwardPass.Part part) {}
    List<Member> members = new ArrayList<>();
    for (Sequence s : List.copyOf(running)) {
      boolean prompt = !s.isDecoding();
      if (prompt && left == 0) {
        continue;
      }
      ForwardPass.Part part = s.part(left);
      if (!reserve(s, part)) {
        continue;
      }
      members.add(new Member(s, part));
      if (prompt) {
        left -= part.rows();
        prompts += part.rows();
      }
    }
    // Parts of which nothing is wanted come first (ForwardPass#run).
    members.sort(Comparator.comparingInt(m -> m.part().wanted()));
    forward.run(members.stream().map(Member::part).toList());
    List<Sequence> wanted = new ArrayList<>();
    List<Integer> rows = new ArrayList<>();
    int row = 0;
    for (Member m : members) {
      m.sequence().ran();
      row += m.part().rows();
      if (m.part().wanted() > 0) {
        wanted.add(m.sequence());
        rows.add(row - 1);
      }
    }
    if (!wanted.isEmpty()) {
      accept(wanted, forward.logits(rows.stream().mapToInt(r -> r).toArray()));
    }
    count(prompts, members.size(), wanted.size(), System.nanoTime() - start);
  }

  private synchronized void count(int prompts, int members, int wanted, long nanos) {
    steps++;
    promptTokens += prompts;
    generatedTokens += wanted;
    if (prompts == 0) {
      decodeSteps++;
      decodedTokens += members;
      decodeNanos += nanos;
    }
  }

  /// Makes room for a part.
  ///
  /// @return whether there was; who gets none has failed
  private boolean reserve(Sequence s, ForwardPass.Part part) {
    try {
      part.caches().reserve(part.position(), part.position() + part.rows());
      return true;
    } catch (Throwable t) { // no memory: this request's failure
      fail(s, t);
      return false;
    }
  }

  /// @param logits `[sequences, vocabulary]`
  private void accept(List<Sequence> sequences, F32Matrix logits) {
    for (int i = 0; i < sequences.size(); i++) {
      Sequence s = sequences.get(i);
      try {
        Optional<StopReason> over =
            s.accept(
                logits
                    .data()
                    .asSlice(logits.offsetBytes(i, 0), (long) Float.BYTES * logits.cols()));
        over.ifPresent(stop -> end(s, stop));
      } catch (LogitsException e) {
        fail(s, model.nonFinite().explain(e, s.caches(), s.position()));
      } catch (RuntimeException e) { // a stranger's option or cancellation: this request's failure
        fail(s, e);
      }
    }
  }

  private void end(Sequence s, StopReason stop) {
    running.remove(s);
    prefixes.keep(s.history(), s.caches());
    ended(1, 1);
    s.end(stop);
  }

  private void fail(Sequence s, Throwable failure) {
    running.remove(s);
    prefixes.release(s.caches());
    ended(1, 1);
    s.fail(failure);
  }

  private synchronized void ended(int places, int sequences) {
    this.places -= places;
    ended += sequences;
  }

  /// Ends all requests and the thread, and frees the memory.
  @Override
  public void close() {
    List<Sequence> left;
    synchronized (this) {
      if (closing) {
        return;
      }
      closing = true;
      notifyAll();
      left = List.copyOf(waiting);
      waiting.clear();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) { // it ends with the step that it is in
        interrupted = true;
      }
    }
    ended(0, left.size());
    left.forEach(s -> s.end(StopReason.CANCELLED));
    prefixes.close();
    arena.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
