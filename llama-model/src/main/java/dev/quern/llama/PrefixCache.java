package dev.quern.llama;

import dev.quern.llama.forward.KvCaches;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/// KV caches of sequences that have ended, by their tokens: what a prompt shares with one of them
/// need not be run again. Keys and values depend on the tokens before them alone, so they are what
/// running them would give, to the bit where kernels are invariant. For one thread.
final class PrefixCache implements AutoCloseable {
  /// Fewer tokens than these are run sooner than copied.
  private static final int LEAST = 16;

  private final int most;
  private final Supplier<KvCaches> maker;
  private final Deque<Entry> entries = new ArrayDeque<>(); // the least recently used first
  private final Deque<KvCaches> free = new ArrayDeque<>(); // whose tokens nobody wants
  private final List<KvCaches> all = new ArrayList<>(); // these, and those of who runs

  /// @param tokens that the caches hold
  private record Entry(int[] tokens, KvCaches caches) {}

  /// A sequence that runs.
  interface Holder {
    /// How many of the tokens in its caches a prompt begins with.
    int shared(int[] prompt);

    KvCaches caches();
  }

  /// Caches for a sequence.
  ///
  /// @param tokens of its prompt that they hold
  record Found(KvCaches caches, int tokens) {}

  /// @param most entries
  /// @param maker makes caches where there are none to use again
  PrefixCache(int most, Supplier<KvCaches> maker) {
    this.most = most;
    this.maker = maker;
  }

  /// Caches for a prompt, with as much of it as is known; the last token is left to run.
  ///
  /// @param running sequences, which may share it too
  Found find(int[] prompt, Collection<? extends Holder> running) {
    int shared = 0;
    Entry best = null;
    for (Entry e : entries) {
      int n = shared(prompt, e.tokens);
      if (n >= shared) {
        shared = n;
        best = e;
      }
    }
    KvCaches source = best == null ? null : best.caches;
    for (Holder s : running) {
      int n = Math.min(s.shared(prompt), prompt.length - 1);
      if (n > shared) {
        shared = n;
        source = s.caches();
        best = null;
      }
    }
    if (shared < LEAST) {
      return new Found(fresh(), 0);
    }
    if (best != null) {
      entries.remove(best); // the most recently used, or the sequence's own
      if (shared == best.tokens.length) {
        return new Found(best.caches, shared);
      }
      entries.addLast(best);
    }
    KvCaches caches = fresh();
    try {
      caches.copyFrom(source, shared);
    } catch (Throwable t) { // rethrown: there is no memory for them
      free.push(caches);
      throw t;
    }
    return new Found(caches, shared);
  }

  /// How many of a prompt's tokens [#find] would find; at least as many as are not worth it.
  int known(int[] prompt, Collection<? extends Holder> running) {
    int most = LEAST - 1;
    for (Entry e : entries) {
      most = Math.max(most, shared(prompt, e.tokens));
    }
    for (Holder s : running) {
      most = Math.max(most, Math.min(s.shared(prompt), prompt.length - 1));
    }
    return most;
  }

  /// Keeps what a sequence has left.
  void keep(int[] tokens, KvCaches caches) {
    if (most == 0 || tokens.length < LEAST) {
      free.push(caches);
      return;
    }
    entries.addLast(new Entry(tokens, caches));
    if (entries.size() > most) {
      free.push(entries.removeFirst().caches);
    }
  }

  /// Takes back caches that hold nothing to keep.
  void release(KvCaches caches) {
    free.push(caches);
  }

  private KvCaches fresh() {
    if (!free.isEmpty()) {
      return free.pop();
    }
    all.add(maker.get());
    return all.getLast();
  }

  /// How many of a prompt's tokens others begin with, the last one aside.
  static int shared(int[] prompt, int[] tokens) {
    int mismatch = Arrays.mismatch(prompt, tokens);
    int same = mismatch < 0 ? prompt.length : mismatch;
    return Math.min(same, prompt.length - 1);
  }

  /// Bytes of all caches that were made, those of running sequences too.
  long bytes() {
    return all.stream().mapToLong(KvCaches::bytes).sum();
  }

  /// Frees all caches that were made.
  @Override
  public void close() {
    all.forEach(KvCaches::close);
    all.clear();
  }
}
