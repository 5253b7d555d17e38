package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.files.NewFile;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/// A session's tokens, keys and values in a file, little-endian:
///
/// ```
/// bytes   what
/// 8       QUERN KV
/// 4       version: 1
/// 16      element format of the cache, ASCII, filled up with zeros
/// 32      fingerprint of the model
/// 4       positions p
/// 4       pending tokens t, which were generated and not run
/// 4 p+4 t token ids
/// ...     for each layer its keys, then its values: [KV heads][p][elements of a head]
/// 4       CRC-32C of all before
/// ```
///
/// Keys and values are native numbers: a big-endian host neither writes nor reads such files.
///
/// @param model whose session it is
/// @param caches of the session
record SessionFile(LlamaModel model, KvCaches caches) {
  private static final byte[] MAGIC = "QUERN KV".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int FORMAT_AT = 12;
  private static final int FORMAT_BYTES = 16;
  private static final int FINGERPRINT_AT = FORMAT_AT + FORMAT_BYTES;
  private static final int FINGERPRINT_BYTES = 32;
  private static final int POSITIONS_AT = FINGERPRINT_AT + FINGERPRINT_BYTES;
  private static final int PENDING_AT = POSITIONS_AT + 4;
  private static final int TOKENS_AT = PENDING_AT + 4;
  private static final int CRC_BYTES = 4;
  private static final int PIECE = 1 << 24; // bytes that go through a checksum at once

  private static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /// What a file holds beside keys and values.
  ///
  /// @param history tokens of the cache
  /// @param pending tokens behind these
  record Tokens(int[] history, int[] pending) {}

  /// Writes a file; one of that name is replaced.
  void write(Path path, Tokens tokens) throws IOException {
    int positions = tokens.history.length;
    ByteBuffer head =
        ByteBuffer.allocate(TOKENS_AT + 4 * (positions + tokens.pending.length))
            .order(LITTLE_ENDIAN)
            .put(MAGIC)
            .putInt(VERSION)
            .put(format())
            .put(model.fingerprint().bytes())
            .putInt(positions)
            .putInt(tokens.pending.length);
    for (int id : SessionTokens.concat(tokens.history, tokens.pending)) {
      head.putInt(id);
    }
    CRC32C crc = new CRC32C();
    try (NewFile file = NewFile.open(path, true)) {
      crc.update(head.flip());
      file.write(head.rewind());
      for (MemorySegment plane : caches.filled(positions)) {
        crc.update(plane.asByteBuffer());
        file.write(plane.asByteBuffer());
      }
      file.write(
          ByteBuffer.allocate(CRC_BYTES).order(LITTLE_ENDIAN).putInt((int) crc.getValue()).flip());
      file.finish();
    }
  }

  /// Reads a file into the caches, if all of it is right; else they stay as they are.
  ///
  /// @param used positions of the caches that stay as they are if the file is refused
  /// @throws LlamaException if it is no such file, or not of this model, format and version, or
  ///   does not fit
  Tokens read(Path path, int used) throws IOException {
    try (FileChannel channel = FileChannel.open(path);
        Arena arena = Arena.ofShared()) {
      long size = channel.size();
      if (size < TOKENS_AT + CRC_BYTES) {
        throw fail(path, size + " bytes", "at least " + (TOKENS_AT + CRC_BYTES));
      }
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      return read(path, file, used);
    }
  }

  private Tokens read(Path path, MemorySegment file, int used) throws IOException {
    if (!Arrays.equals(bytes(file, 0, MAGIC.length), MAGIC)) {
      throw fail(path, "other bytes at its start", "a file that a session was saved to");
    }
    int version = file.get(I32, MAGIC.length);
    if (version != VERSION) {
      throw fail(path, "version " + version, "version " + VERSION);
    }
    byte[] format = bytes(file, FORMAT_AT, FORMAT_BYTES);
    if (!Arrays.equals(format, format())) {
      String stored = new String(format, StandardCharsets.US_ASCII).replace("\0", "");
      throw fail(
          path, "keys and values as " + Printable.quoted(stored), model.kvFormat().toString());
    }
    byte[] fingerprint = bytes(file, FINGERPRINT_AT, FINGERPRINT_BYTES);
    if (!Arrays.equals(fingerprint, model.fingerprint().bytes())) {
      throw fail(path, "a session of another model", "one of " + model.name());
    }
    int positions = file.get(I32, POSITIONS_AT);
    int pending = file.get(I32, PENDING_AT);
    if (positions < 0 || pending < 0 || (long) positions + pending > model.context()) {
      throw fail(
          path,
          String.format(Locale.ROOT, "%d and %d tokens", positions, pending),
          String.format(Locale.ROOT, "at most %d together, the context", model.context()));
    }
    long keysAt = TOKENS_AT + 4L * (positions + pending);
    long expected = keysAt + caches.filledBytes(positions) + CRC_BYTES;
    if (file.byteSize() != expected) {
      throw fail(path, file.byteSize() + " bytes", expected + ": it is cut, or not of this model");
    }
    if (file.get(I32, expected - CRC_BYTES) != crc(file.asSlice(0, expected - CRC_BYTES))) {
      throw fail(path, "another checksum than it has", "undamaged bytes");
    }
    int[] ids = file.asSlice(TOKENS_AT, keysAt - TOKENS_AT).toArray(I32);
    SessionTokens.require(ids, model.config().vocabulary());
    caches.reserve(used, positions);
    copy(file.asSlice(keysAt), positions);
    return new Tokens(
        Arrays.copyOf(ids, positions), Arrays.copyOfRange(ids, positions, ids.length));
  }

  private void copy(MemorySegment from, int positions) {
    List<MemorySegment> planes = caches.filled(positions);
    long at = 0;
    for (MemorySegment plane : planes) {
      plane.copyFrom(from.asSlice(at, plane.byteSize()));
      at += plane.byteSize();
    }
  }

  private static int crc(MemorySegment bytes) {
    CRC32C crc = new CRC32C();
    for (long at = 0; at < bytes.byteSize(); at += PIECE) {
      crc.update(bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at)).asByteBuffer());
    }
    return (int) crc.getValue();
  }

  private byte[] format() {
    byte[] id = model.kvFormat().id().getBytes(StandardCharsets.US_ASCII);
    if (id.length > FORMAT_BYTES) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "KV format %s: %d bytes of a name, expected at most %d for a file",
              model.kvFormat(),
              id.length,
              FORMAT_BYTES));
    }
    return Arrays.copyOf(id, FORMAT_BYTES);
  }

  private static byte[] bytes(MemorySegment file, long at, int count) {
    return file.asSlice(at, count).toArray(ValueLayout.JAVA_BYTE);
  }

  private static LlamaException fail(Path path, String actual, String expected) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: %s, expected %s",
            Printable.escaped(path.toString()),
            actual,
            expected));
  }
}
