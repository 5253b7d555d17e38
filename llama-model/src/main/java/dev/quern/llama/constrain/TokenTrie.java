package dev.quern.llama.constrain;

import java.util.Arrays;

/// Tokens as a tree of their bytes, in the order in which a walk meets its nodes. Immutable.
final class TokenTrie {
  private final byte[] labels; // of each node, the byte that leads to it
  private final short[] depths; // of each node, from 1
  private final int[] ends; // of each node, the next that is not below it
  private final int[] firsts; // of each node, and behind the last: its first token in `tokens`
  private final int[] tokens; // by their bytes
  private final int longest;

  /// @param tokens in the order of their bytes, each of which has at least one
  /// @param texts of all tokens
  TokenTrie(int[] tokens, byte[][] texts) {
    this.tokens = tokens;
    longest = Arrays.stream(tokens).map(id -> texts[id].length).max().orElse(0);
    int nodes = 0;
    byte[] last = new byte[0];
    for (int id : tokens) {
      nodes += texts[id].length - common(last, texts[id]);
      last = texts[id];
    }
    labels = new byte[nodes];
    depths = new short[nodes];
    ends = new int[nodes];
    firsts = new int[nodes + 1];
    fill(texts);
  }

  private void fill(byte[][] texts) {
    int[] path = new int[longest]; // the nodes of the last token
    int length = 0;
    int node = 0;
    byte[] last = new byte[0];
    for (int i = 0; i < tokens.length; i++) {
      byte[] text = texts[tokens[i]];
      int common = common(last, text);
      for (int d = common; d < length; d++) {
        ends[path[d]] = node;
      }
      for (int d = common; d < text.length; d++) {
        labels[node] = text[d];
        depths[node] = (short) (d + 1);
        firsts[node] = i;
        path[d] = node++;
      }
      length = text.length;
      last = text;
    }
    for (int d = 0; d < length; d++) {
      ends[path[d]] = node;
    }
    firsts[node] = tokens.length;
  }

  private static int common(byte[] a, byte[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }

  int nodes() {
    return labels.length;
  }

  byte label(int node) {
    return labels[node];
  }

  int depth(int node) {
    return depths[node];
  }

  int end(int node) {
    return ends[node];
  }

  int longest() {
    return longest;
  }

  /// Sets the tokens that end at a node.
  void set(int node, long[] mask) {
    for (int i = firsts[node]; i < firsts[node + 1]; i++) {
      mask[tokens[i] >> 6] |= 1L << tokens[i];
    }
  }

  /// Bytes that it takes.
  long memory() {
    return 11L * labels.length + 4L * tokens.length;
  }
}
