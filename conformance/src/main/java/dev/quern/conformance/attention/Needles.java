package dev.quern.conformance.attention;

import dev.quern.conformance.cases.Mix;

/// Queries that look for one position each. Over thousands of positions weights are so small, and
/// the bound of rule A6 so wide, that a position which is left out, or read elsewhere, does not
/// show. So each row's head gets a position whose key has its query's direction, and so much length
/// that next to nothing but its value is left in y: the head's last position, the first that it
/// sees, one beside a power of two, or any.
final class Needles {
  /// Positions of a cache from which there are needles: below, each position shows by itself.
  static final int FROM = 1200;

  /// Score of a needle; the others' are a quarter at most.
  private static final double SCORE = 60;

  private Needles() {}

  /// Changes q, and the keys that are looked for.
  static void put(AttentionData data, AttentionCase c) {
    Mix mix = new Mix(c.seed(), "needles");
    double length = 4 * (Math.sqrt(c.headDim()) + 4); // of other keys at most a quarter, about
    int columns = AttentionData.columns(c);
    for (int r = 0; r < c.rows(); r++) {
      for (int head = 0; head < c.heads(); head++) {
        int kvHead = head / c.group();
        int t = position(c.firstVisible(r), c.firstPosition() + r, r + head, mix);
        scale(data.keys(), c, kvHead, t, length);
        double squares = squares(data.keys(), c, kvHead, t);
        for (int d = 0; d < c.headDim(); d++) {
          double key = AttentionData.get(data.keys(), c, kvHead, t, d);
          data.q()[r * columns + head * c.headDim() + d] =
              (float) (key * SCORE / (c.spec().scale() * squares));
        }
      }
    }
  }

  /// @param first the first position that the row sees
  /// @param last its own
  private static int position(int first, int last, int kind, Mix mix) {
    int visible = last - first + 1;
    return switch (kind % 4) {
      case 0 -> last;
      case 1 -> first + (kind == 1 ? 0 : mix.below(visible));
      case 2 -> Math.max(first, (Integer.highestOneBit(last + 1) >> mix.below(4)) - mix.below(2));
      default -> first + mix.below(visible);
    };
  }

  private static void scale(byte[] keys, AttentionCase c, int kvHead, int t, double length) {
    double factor = length / Math.sqrt(squares(keys, c, kvHead, t));
    for (int d = 0; d < c.headDim(); d++) {
      double key = AttentionData.get(keys, c, kvHead, t, d);
      AttentionData.set(keys, c, kvHead, t, d, key * factor);
    }
  }

  private static double squares(byte[] keys, AttentionCase c, int kvHead, int t) {
    double squares = 0;
    for (int d = 0; d < c.headDim(); d++) {
      double key = AttentionData.get(keys, c, kvHead, t, d);
      squares += key * key;
    }
    return squares;
  }
}
