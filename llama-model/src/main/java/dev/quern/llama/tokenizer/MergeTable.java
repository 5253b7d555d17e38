package dev.quern.llama.tokenizer;

import dev.quern.llama.bytes.KeyedHash;
import java.util.List;
import java.util.Locale;

/// The merges of a byte-pair vocabulary: pair of token ids to rank, rank to merged token. Open
/// addressing over primitive arrays, by a hash that a file's author can't foresee; Llama 3 has
/// 280,147 merges.
final class MergeTable {
  private final long[] pairs; // left << 32 | right, by slot; at most half full
  private final int[] ranks; // by slot, rank + 1, 0 where free
  private final int[] merged; // [merges], the token that a merge makes

  /// @param merges `"left right"`, the best first
  /// @throws TokenizerException where a merge is malformed or names what the vocabulary lacks
  MergeTable(List<String> merges, Vocabulary vocabulary) {
    int capacity = Integer.highestOneBit(Math.max(merges.size(), 1)) << 2;
    pairs = new long[capacity];
    ranks = new int[capacity];
    merged = new int[merges.size()];
    char[] chars = new char[64];
    int rank = 0;
    for (String merge : merges) {
      int space = merge.indexOf(' ');
      int length = merge.length() - 1; // of both parts without the space
      if (space < 1 || space == length || merge.indexOf(' ', space + 1) >= 0) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s[%d] = %s, expected two texts with one space between",
                Keys.MERGES,
                rank,
                TokenizerException.quote(merge)));
      }
      chars = length <= chars.length ? chars : new char[2 * length];
      merge.getChars(0, space, chars, 0);
      merge.getChars(space + 1, merge.length(), chars, space);
      int left = find(vocabulary, chars, 0, space, rank, merge);
      int right = find(vocabulary, chars, space, length, rank, merge);
      merged[rank] = find(vocabulary, chars, 0, length, rank, merge);
      int slot = slotOf(left, right);
      if (ranks[slot] == 0) { // of equal pairs the best rank counts
        pairs[slot] = pair(left, right);
        ranks[slot] = rank + 1;
      }
      rank++;
    }
  }

  /// The rank of merging the two tokens, or [BestFirstMerger#NO_RANK].
  int rank(int left, int right) {
    int slot = slotOf(left, right);
    return ranks[slot] == 0 ? BestFirstMerger.NO_RANK : ranks[slot] - 1;
  }

  /// The token that the merge of that rank makes.
  int merged(int rank) {
    return merged[rank];
  }

  /// Only text merges: were a control token among the results, a user's text could produce it.
  private static int find(
      Vocabulary vocabulary, char[] chars, int from, int to, int rank, String merge) {
    int id = vocabulary.findText(chars, from, to);
    if (id == TokenTable.ABSENT) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s[%d] = %s needs the token %s, expected it among %s as ordinary text",
              Keys.MERGES,
              rank,
              TokenizerException.quote(merge),
              TokenizerException.quote(new String(chars, from, to - from)),
              Keys.TOKENS));
    }
    return id;
  }

  private int slotOf(int left, int right) {
    long pair = pair(left, right);
    int mask = ranks.length - 1;
    int slot = home(pair) & mask;
    while (ranks[slot] != 0 && pairs[slot] != pair) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private static int home(long pair) {
    return (int) KeyedHash.OF_PROCESS.of(pair);
  }

  /// Steps that the worst of all pairs takes to be found.
  int longestProbe() {
    int longest = 0;
    int mask = ranks.length - 1;
    for (int slot = 0; slot < ranks.length; slot++) {
      if (ranks[slot] != 0) {
        longest = Math.max(longest, slot - home(pairs[slot]) & mask);
      }
    }
    return longest;
  }

  private static long pair(int left, int right) {
    return (long) left << 32 | right;
  }
}
