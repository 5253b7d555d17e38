package dev.quern.data;

import java.util.Locale;
import java.util.Objects;

/// The rows of one sequence in a call of attention over several (a ragged batch). A batch is a list
/// of these: the matrices hold the rows of the first, then those of the second, and so on.
///
/// @param rows rows of the sequence in this call, at least 1
/// @param cache the sequence's
/// @param firstPosition the first row's position in the sequence; the others follow
/// @since 0.1
/// @stability contract
public record SequenceRows(int rows, KvCache cache, int firstPosition) {

  public SequenceRows {
    Objects.requireNonNull(cache, "cache");
    if (rows < 1 || firstPosition < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "rows of a sequence: rows=%d, firstPosition=%d, expected rows >= 1, firstPosition >= 0",
              rows,
              firstPosition));
    }
  }
}
