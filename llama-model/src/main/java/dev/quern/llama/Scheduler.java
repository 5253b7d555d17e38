package dev.quern.llama;

import dev.quern.data.F32Matrix;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.observe.EngineStep;
import dev.quern.llama.observe.FlightRecorder;
import dev.quern.llama.sampling.LogitsException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

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

  /// A sequence's part of the step that is being made.
  ///
  /// @param prompt whether its rows are a prompt's
  private record Member(Sequence sequence, ForwardPass.Part part, boolean prompt) {}

  /// What the sequences of a step have got (see [Sequence.Gain]).
  private static final class Sum {
    int chosen;
    int guessed;
    int right;
    int unguessed;
  }

  private final Followers followers = new Followers();
  private final PrefixCache prefixes;
  private final Optional<Drafter> drafter;
  private final Pace pace;
  private final Worth worth;

  private final Deque<Sequence> waiting = new ArrayDeque<>(); // guarded by this
  private boolean closing; // guarded by this

  private int places; // sequences that run; guarded by this
  private long rejected; // guarded by this
  private final Tally tally = new Tally();

  /// @param draft guesses for the sequences
  Scheduler(LlamaModel model, EngineOptions options, LoadOptions load, Optional<LlamaModel> draft) {
    this.model = model;
    this.options = options;
    batch = Math.min(load.batch(), model.context());
    pace = new Pace(Math.min(options.promptRows(), batch));
    worth = new Worth(options.sequences());
    prefixes = new PrefixCache(options.prefixes(), model::newCaches);
    drafter = draft.map(d -> d.newDrafter(options, model.config().vocabulary()));
    try {
      int guesses = Math.max(options.lookup(), draft.isPresent() ? options.draftTokens() : 0);
      int decoding = Math.multiplyExact(options.sequences(), 1 + guesses);
      ForwardPass.Limits limits =
          new ForwardPass.Limits(model.context(), decoding + batch, decoding);
      forward = model.newForwardPass(model.operatorsFor(options.sequences()), limits, arena);
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      drafter.ifPresent(Drafter::close);
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
    if (waiting.size() >= (long) options.queue() + options.sequences() - places) {
      rejected++;
      return false;
    }
    waiting.add(sequence);
    notifyAll();
    return true;
  }

  synchronized EngineMetrics metrics() {
    return tally.metrics(waiting.size(), places, rejected);
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
    followers.drain().forEach(s -> leave(s, StopReason.CANCELLED));
  }

  /// Waits for work, and gives free places to those who came first.
  ///
  /// @return whether to go on
  private boolean admit() {
    List<Sequence> admitted = new ArrayList<>();
    synchronized (this) {
      try {
        while (!closing && running.isEmpty() && followers.isEmpty() && waiting.isEmpty()) {
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
    followers.ready(running).forEach(this::begin);
    admitted.forEach(this::begin);
    return true;
  }

  private void begin(Sequence s) {
    if (!followers.add(s, prefixes.known(s.prompt(), running), running)) {
      start(s);
    }
  }

  /// Ends one that was never started.
  private void leave(Sequence s, StopReason stop) {
    ended(1, 1);
    s.end(stop);
  }

  private void start(Sequence s) {
    PrefixCache.Found found = null;
    try {
      found = prefixes.find(s.prompt(), running);
      s.start(found.caches(), found.tokens());
      if (drafter.isPresent()) {
        drafter.get().start(s);
      }
      running.add(s);
      tally.cached(found.tokens());
    } catch (Throwable t) { // no memory: this request's failure
      if (found != null) {
        prefixes.release(found.caches());
      }
      ended(1, 1);
      s.fail(t);
    }
  }

  private void endCancelled() {
    for (Sequence s : List.copyOf(running)) {
      s.ending().ifPresent(stop -> end(s, stop));
    }
    followers.ending().forEach(s -> leave(s, s.ending().orElseThrow()));
    List<Sequence> gone = new ArrayList<>();
    synchronized (this) {
      waiting.removeIf(s -> s.ending().isPresent() && gone.add(s));
    }
    ended(0, gone.size());
    gone.forEach(s -> s.end(s.ending().orElseThrow()));
  }

  /// A forward pass: a token of each sequence that decodes, with guesses behind it, and as many of
  /// the prompts of others as the options allow beside them, those of who came first.
  private void step() {
    if (running.isEmpty()) {
      return;
    }
    final FlightRecorder.EngineStepEvent event = FlightRecorder.engineStep();
    final long start = System.nanoTime();
    final int began = running.size();
    List<Sequence> decoding = running.stream().filter(Sequence::isDecoding).toList();
    final int most = decoding.isEmpty() ? batch : pace.rows(); // of prompts
    final boolean drafting = drafter.isPresent() && worth.pays(decoding.size());
    if (drafting) {
      drafter.get().guess(decoding, this::fail);
    }
    List<Member> members = members(most);
    if (members.isEmpty()) { // all have failed
      return;
    }
    int prompts = 0;
    int rows = 0;
    for (Member m : members) {
      rows += m.part.rows();
      prompts += m.prompt ? m.part.rows() : 0;
    }
    forward.run(members.stream().map(Member::part).toList());
    Sum sum = accept(members);
    if (drafting || drafter.isPresent() && decoding.isEmpty()) {
      drafter.get().follow(most);
    }
    long nanos = System.nanoTime() - start;
    if (!decoding.isEmpty()) {
      pace.took(prompts, nanos);
    }
    if (drafter.isPresent() && prompts == 0 && drafting == sum.guessed > 0) {
      worth.took(decoding.size(), drafting, sum.chosen, nanos);
    }
    int unguessed = drafter.isPresent() && !drafting ? sum.chosen : sum.unguessed;
    EngineStep step =
        new EngineStep(
            waiting(),
            began,
            rows,
            prompts,
            sum.chosen,
            sum.guessed,
            sum.right,
            unguessed,
            prefixes.bytes() + drafter.map(Drafter::kvBytes).orElse(0L),
            nanos);
    tally.step(step);
    if (event != null) {
      event.finish(step);
    }
  }

  private synchronized int waiting() {
    return waiting.size();
  }

  /// The parts of a step.
  ///
  /// @param prompts most rows of prompts
  private List<Member> members(int prompts) {
    int left = prompts;
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
      members.add(new Member(s, part, prompt));
      left -= prompt ? part.rows() : 0;
    }
    // Parts of which nothing is wanted come first (ForwardPass#run), then those of which least is.
    members.sort(
        Comparator.<Member>comparingInt(m -> Math.min(1, m.part.wanted()))
            .thenComparingInt(m -> m.part.wanted() - m.part.rows()));
    return members;
  }

  /// Hands on the logits behind all rows that they are wanted of. Sequences choose their tokens on
  /// all threads: each looks at the whole vocabulary.
  private Sum accept(List<Member> members) {
    List<Integer> rows = new ArrayList<>();
    int row = 0;
    for (Member m : members) {
      row += m.part.rows();
      for (int r = row - m.part.wanted(); r < row; r++) {
        rows.add(r);
      }
    }
    F32Matrix logits =
        rows.isEmpty() ? null : forward.logits(rows.stream().mapToInt(r -> r).toArray());
    List<Choice> choices = new ArrayList<>();
    int from = 0;
    for (Member m : members) {
      if (m.part.wanted() == 0) {
        m.sequence.ran();
      } else {
        choices.add(new Choice(m.sequence, rows(logits, from, from + m.part.wanted())));
        from += m.part.wanted();
      }
    }
    model.workers().run(choices.size(), (i, _) -> choices.get(i).make());
    Sum sum = new Sum();
    choices.forEach(choice -> count(choice, sum));
    return sum;
  }

  private void count(Choice choice, Sum sum) {
    Sequence s = choice.sequence;
    switch (choice.failure) {
      case null -> {
        sum.chosen += choice.gain.chosen();
        sum.guessed += choice.gain.guessed();
        sum.right += choice.gain.right();
        sum.unguessed += choice.gain.unguessed() ? 1 : 0;
        choice.gain.over().ifPresent(stop -> end(s, stop));
      }
      case LogitsException e -> fail(s, model.nonFinite().explain(e, s.caches(), s.position()));
      default -> fail(s, choice.failure);
    }
  }

  private static List<MemorySegment> rows(F32Matrix logits, int from, int to) {
    long bytes = (long) Float.BYTES * logits.columns();
    return IntStream.range(from, to)
        .mapToObj(r -> logits.data().asSlice(logits.offsetBytes(r, 0), bytes))
        .toList();
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

  private void end(Sequence s, StopReason stop) {
    running.remove(s);
    drafter.ifPresent(d -> d.end(s));
    prefixes.keep(s.history(), s.caches());
    ended(1, 1);
    s.end(stop);
  }

  private void fail(Sequence s, Throwable failure) {
    running.remove(s);
    drafter.ifPresent(d -> d.release(s));
    prefixes.release(s.caches());
    ended(1, 1);
    s.fail(failure);
  }

  private synchronized void ended(int places, int sequences) {
    this.places -= places;
    tally.ended(sequences);
  }

  /// Ends all requests and the thread, and frees the memory. Of several callers, all return when
  /// that is done: a model frees its weights behind this.
  @Override
  public void close() {
    List<Sequence> left;
    synchronized (this) {
      closing = true;
      notifyAll();
      left = List.copyOf(waiting);
      waiting.clear();
    }
    ended(0, left.size());
    left.forEach(s -> s.end(StopReason.CANCELLED));
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) { // it ends with the step that it is in
        interrupted = true;
      }
    }
    free();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void free() {
    if (arena.scope().isAlive()) {
      prefixes.close();
      drafter.ifPresent(Drafter::close);
      arena.close();
    }
  }
}
