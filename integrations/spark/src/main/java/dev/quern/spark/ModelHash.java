package dev.quern.spark;

import dev.quern.llama.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// SHA-256 of a model: of its file as `sha256sum` has it; of several (shards, a folder's) that of
/// the lines that `sha256sum` prints for them in the order of their names.
final class ModelHash {
  private static final int BUFFER = 1 << 20;

  private ModelHash() {}

  /// @param model a GGUF file, the first of its shards, or a folder
  static String of(Path model) throws IOException {
    List<Path> files = files(model);
    if (files.size() == 1) {
      return ofFile(files.getFirst());
    }
    MessageDigest digest = sha256();
    for (Path file : files) {
      String line = ofFile(file) + "  " + file.getFileName() + "\n";
      digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static List<Path> files(Path model) throws IOException {
    if (Files.isDirectory(model)) {
      try (Stream<Path> files = Files.list(model)) {
        return sorted(files.filter(Files::isRegularFile));
      }
    }
    if (!model.toString().endsWith(".gguf")) { // shards have the ending in their names
      return List.of(model);
    }
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      return sorted(checkpoint.files().stream());
    }
  }

  private static List<Path> sorted(Stream<Path> files) {
    return files.sorted(Comparator.comparing(f -> f.getFileName().toString())).toList();
  }

  private static String ofFile(Path file) throws IOException {
    MessageDigest digest = sha256();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    try (FileChannel channel = FileChannel.open(file)) {
      while (channel.read(buffer.clear()) >= 0) {
        digest.update(buffer.flip());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
