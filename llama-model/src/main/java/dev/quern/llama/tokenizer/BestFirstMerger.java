package dev.quern.llama.tokenizer;

import java.util.Arrays;

/// Merges neighbouring symbols of one text, the pair of lowest rank first and the leftmost among
/// equals, until no pair has a rank. Byte-pair encoding and SentencePiece differ only in what ranks
/// a pair.
///
/// Symbols are a linked list over the positions of the initial symbols; candidate pairs wait in a
/// heap and are dropped when popped if a merge has changed them since. So n symbols take O(n log
/// n), however long a word is.
abstract class BestFirstMerger {
  static final int NO_RANK = Integer.MAX_VALUE;
  static final int END = -1;

  private int[] next = new int[32]; // [symbols], END after the last
  private int[] previous = new int[32]; // [symbols], END before the first
  private int[] pairRank = new int[32]; // [symbols], of the pair that begins here; NO_RANK if dead
  private long[] heap = new long[32]; // rank << 32 | left symbol, smallest first
  private int heapSize;

  /// The rank of the pair of neighbours, [#NO_RANK] where they don't merge.
  abstract int rank(int left, int right);

  /// Makes `left` the union of both; `right` is never named again.
  abstract void merge(int left, int right);

  /// The symbol after this one, [#END] after the last. Symbol 0 is always the first.
  final int next(int symbol) {
    return next[symbol];
  }

  /// Merges all that can be merged of the symbols 0 .. count - 1.
  final void run(int count) {
    if (next.length < count) {
      int capacity = Math.max(count, 2 * next.length);
      next = new int[capacity];
      previous = new int[capacity];
      pairRank = new int[capacity];
    }
    heapSize = 0;
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : END;
    }
    for (int i = 0; i < count; i++) {
      rankPairAt(i);
    }
    while (heapSize > 0) {
      long best = pop();
      int left = (int) best;
      if (pairRank[left] != (int) (best >> 32)) {
        continue; // a merge has changed this pair since it was queued
      }
      int right = next[left];
      merge(left, right);
      pairRank[right] = NO_RANK;
      next[left] = next[right];
      if (next[left] != END) {
        previous[next[left]] = left;
      }
      if (previous[left] != END) {
        rankPairAt(previous[left]);
      }
      rankPairAt(left);
    }
  }

  private void rankPairAt(int left) {
    int right = next[left];
    pairRank[left] = right == END ? NO_RANK : rank(left, right);
    if (pairRank[left] != NO_RANK) {
      push((long) pairRank[left] << 32 | left);
    }
  }

  private void push(long value) {
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, 2 * heapSize);
    }
    int i = heapSize++;
    while (i > 0 && heap[(i - 1) >>> 1] > value) {
      heap[i] = heap[(i - 1) >>> 1];
      i = (i - 1) >>> 1;
    }
    heap[i] = value;
  }

  private long pop() {
    long top = heap[0];
    long last = heap[--heapSize];
    int i = 0;
    for (int child = 1; child < heapSize; child = 2 * i + 1) {
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
