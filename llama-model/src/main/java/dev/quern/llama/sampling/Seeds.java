package dev.quern.llama.sampling;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// Seeds that nobody chose: those of the rows of a table or a file, which must be the same wherever
/// and however often a row runs.
///
/// @since 0.1
/// @stability api
public final class Seeds {
  /// The largest: readers of JSON that have doubles alone read all up to here exactly.
  public static final long MAX = (1L << 53) - 1;

  private Seeds() {}

  /// The seed of one row: the first 64 bits of the SHA-256 of `BASE KEY` in UTF-8, in big-endian
  /// order, less the upper 11.
  ///
  /// @param base of all rows
  /// @param key what tells the row from the others, as JSON
  public static long of(long base, String key) {
    byte[] both = (base + " " + key).getBytes(StandardCharsets.UTF_8);
    try {
      return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(both)).getLong() & MAX;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
