package dev.quern.serve.ollama;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What a model's file tells, which need not be loaded.
///
/// @param size bytes of weights
/// @param modified when the file was written last; for the demo, which is none, when the server
///   first looked
/// @param digest SHA-256 of name, sizes and times: it tells a file that has changed, and is no
///   checksum, which would take as long as reading all of it
/// @param details as Ollama has them
/// @param info the model's shape, under GGUF's keys
/// @param template the Jinja source of its chat template
record ModelFacts(
    long size,
    Instant modified,
    String digest,
    Map<String, Object> details,
    Map<String, Object> info,
    Optional<String> template) {

  static ModelFacts of(ServedModel served) throws IOException {
    try (Checkpoint checkpoint =
        served.file().isPresent() ? Checkpoint.open(served.file().get()) : Checkpoint.openDemo()) {
      List<Checkpoint.Tensor> tensors = checkpoint.tensors();
      long size = 0;
      Instant modified = checkpoint.files().isEmpty() ? Instant.now() : Instant.EPOCH;
      StringBuilder identity = new StringBuilder(served.name());
      for (Path file : checkpoint.files()) {
        Instant written = Files.getLastModifiedTime(file).toInstant();
        size += Files.size(file);
        modified = written.isAfter(modified) ? written : modified;
        identity.append(' ').append(Files.size(file)).append(' ').append(written);
      }
      if (checkpoint.files().isEmpty()) {
        size = tensors.stream().mapToLong(tensor -> Math.max(0, tensor.byteSize())).sum();
      }
      long parameters = tensors.stream().mapToLong(Checkpoint.Tensor::elements).sum();
      LlamaConfig config = checkpoint.config();
      boolean folder = served.file().map(Files::isDirectory).orElse(false);
      return new ModelFacts(
          size,
          modified,
          sha256(identity.toString()),
          details(config, folder ? "safetensors" : "gguf", parameters, type(tensors)),
          info(config, parameters),
          checkpoint.chatTemplate());
    }
  }

  private static Map<String, Object> details(
      LlamaConfig config, String format, long parameters, String type) {
    String family = config.family().architecture();
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("parent_model", "");
    details.put("format", format);
    details.put("family", family);
    details.put("families", List.of(family));
    details.put("parameter_size", people(parameters));
    details.put("quantization_level", type);
    return details;
  }

  private static Map<String, Object> info(LlamaConfig config, long parameters) {
    String family = config.family().architecture();
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("general.architecture", family);
    info.put("general.name", config.name());
    info.put("general.parameter_count", parameters);
    info.put(family + ".context_length", config.contextLength());
    info.put(family + ".block_count", config.layers());
    info.put(family + ".embedding_length", config.width());
    info.put(family + ".feed_forward_length", config.hidden());
    info.put(family + ".attention.head_count", config.heads());
    info.put(family + ".attention.head_count_kv", config.kvHeads());
    info.put(family + ".attention.key_length", config.headDim());
    info.put(family + ".vocab_size", config.vocabulary());
    return info;
  }

  /// The element type that most weights have.
  private static String type(List<Checkpoint.Tensor> tensors) {
    Map<String, Long> weights = new HashMap<>();
    tensors.forEach(tensor -> weights.merge(tensor.type(), tensor.elements(), Long::sum));
    return weights.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(entry -> entry.getKey().toUpperCase(Locale.ROOT))
        .orElse("");
  }

  private static String people(long parameters) {
    return parameters >= 1_000_000_000
        ? String.format(Locale.ROOT, "%.1fB", parameters / 1e9)
        : String.format(Locale.ROOT, "%.2fM", parameters / 1e6);
  }

  private static String sha256(String text) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
