package dev.quern.llama;

import dev.quern.llama.error.RequestException;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;

/// The token ids of a session: those whose keys and values are in the cache, and behind them the
/// pending ones, which were generated, but nothing had to follow them yet. They are run with what
/// comes next.
final class SessionTokens {
  private static final int[] NONE = {};

  private final int vocabulary;
  private final int[] history; // [capacity]
  private int position;
  private int[] pending = NONE;

  SessionTokens(int capacity, int vocabulary) {
    this.history = new int[capacity];
    this.vocabulary = vocabulary;
  }

  /// Most that the cache has room for.
  int capacity() {
    return history.length;
  }

  /// How many are in the cache.
  int position() {
    return position;
  }

  int[] history() {
    return Arrays.copyOf(history, position);
  }

  /// Those in the cache, and the pending ones.
  int[] all() {
    return concat(history(), pending);
  }

  /// Those in the cache from a position on.
  int[] from(int from) {
    return Arrays.copyOfRange(history, from, position);
  }

  /// How many of the first in the cache some ids begin with.
  int shared(int[] ids) {
    int mismatch = Arrays.mismatch(history, 0, position, ids, 0, ids.length);
    return mismatch < 0 ? ids.length : mismatch;
  }

  /// The token in the cache at a position.
  int at(int position) {
    return history[position];
  }

  boolean isEmpty() {
    return position == 0 && pending.length == 0;
  }

  /// The last one, pending or not.
  OptionalInt last() {
    if (pending.length > 0) {
      return OptionalInt.of(pending[pending.length - 1]);
    }
    return position > 0 ? OptionalInt.of(history[position - 1]) : OptionalInt.empty();
  }

  /// What is to be run for these to follow.
  ///
  /// @throws RequestException if the vocabulary lacks one
  int[] withPending(int[] ids) {
    require(ids, vocabulary);
    return concat(pending, ids);
  }

  /// @throws RequestException if the vocabulary lacks one
  static void require(int[] ids, int vocabulary) {
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new RequestException(
            String.format(Locale.ROOT, "token id %d, expected 0 to %d", id, vocabulary - 1));
      }
    }
  }

  /// Ids that the cache has got, from `ids[from]` on.
  void append(int[] ids, int from, int count) {
    System.arraycopy(ids, from, history, position, count);
    position += count;
  }

  /// The pending ones.
  int[] pending() {
    return pending.clone();
  }

  /// Replaces the pending ones.
  void setPending(int... ids) {
    pending = ids.clone();
  }

  /// Goes back to a position, or forth to one that was gone back from; the pending ones stay.
  void setPosition(int position) {
    this.position = position;
  }

  static int[] concat(int[] first, int[] second) {
    int[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }
}
