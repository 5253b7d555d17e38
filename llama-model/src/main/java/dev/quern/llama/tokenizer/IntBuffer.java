package dev.quern.llama.tokenizer;

import java.util.Arrays;

/// A growing array of token ids.
final class IntBuffer {
  private int[] values = new int[64];
  private int size;

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  void addAll(int[] ids) {
    for (int id : ids) {
      add(id);
    }
  }

  static int[] concat(int[] first, int[] second) {
    int[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  int[] toArray() {
    return Arrays.copyOf(values, size);
  }
}
