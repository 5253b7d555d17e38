package dev.quern.llama;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// Tells a model from others: SHA-256 over its shape, the sizes of its files, and pieces of them
/// that lie evenly all over. Two models that differ in a layer differ in a piece of it; reading all
/// of a large model would take longer than what a fingerprint is asked for.
final class Fingerprint {
  /// Pieces of a file, and the bytes of each. A smaller file is read whole.
  private static final int PIECES = 4096;

  private static final int PIECE = 1024;

  private final ModelSource source;
  private final LlamaConfig config;
  private byte[] bytes; // null until it is asked for

  Fingerprint(ModelSource source, LlamaConfig config) {
    this.source = source;
    this.config = config;
  }

  /// 32 bytes.
  ///
  /// @throws IOException if the model can't be read again
  synchronized byte[] bytes() throws IOException {
    if (bytes == null) {
      bytes = compute();
    }
    return bytes.clone();
  }

  private byte[] compute() throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
    digest.update(config.toString().getBytes(StandardCharsets.UTF_8));
    try (Checkpoint checkpoint = source.open()) {
      for (Path file : checkpoint.files()) {
        pieces(file, digest);
      }
      if (checkpoint.files().isEmpty()) { // the demo's, in memory
        embedding(checkpoint, digest);
      }
    }
    return digest.digest();
  }

  private static void pieces(Path file, MessageDigest digest) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      digest.update(ByteBuffer.allocate(Long.BYTES).putLong(size).flip());
      long step = Math.max(PIECE, size / PIECES);
      ByteBuffer piece = ByteBuffer.allocate(PIECE);
      for (long at = 0; at < size; at += step) {
        channel.read(piece.clear(), at);
        digest.update(piece.flip());
      }
    }
  }

  private static void embedding(Checkpoint checkpoint, MessageDigest digest) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix weights =
          checkpoint.weights(checkpoint.tensor("token_embd.weight"), arena, Workers.sequential());
      digest.update(weights.data().asByteBuffer());
    }
  }
}
