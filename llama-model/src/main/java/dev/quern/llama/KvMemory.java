package dev.quern.llama;

import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import java.util.Locale;
import java.util.OptionalLong;

/// The memory of a session's KV cache, known before any of it is allocated.
///
/// @param config the model's shape
/// @param format element format of the cache
record KvMemory(LlamaConfig config, KvFormat format) {
  /// Bytes for so many positions: layers x 2 planes x KV heads x head's elements x positions x
  /// bytes of an element.
  long bytes(int positions) {
    return Math.multiplyExact(
        2L * config.layers(),
        KvCache.planeBytes(format, config.kvHeads(), config.headDim(), positions));
  }

  /// Most positions that so many bytes hold; 0 if not even one.
  int positions(long bytes) {
    return (int) Math.min(config.contextLength(), bytes / bytes(1));
  }

  /// A context is a promise, so one that does not fit is refused before anything is allocated,
  /// though the caches grow with the conversation.
  ///
  /// @param available bytes, see [AvailableMemory]; empty if unknown
  /// @throws LlamaException if the positions need more, with the largest context that fits
  void requireFits(int positions, OptionalLong available) {
    if (available.isPresent() && bytes(positions) > available.getAsLong()) {
      throw refusal(positions, available.getAsLong());
    }
  }

  private LlamaException refusal(int positions, long available) {
    int fits = positions(available);
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "context=%d needs %s of KV cache (%s), and %s of memory is available: %s",
            positions,
            mebibytes(bytes(positions)),
            formula(positions),
            mebibytes(available),
            fits == 0
                ? "not one position fits; free some memory"
                : String.format(
                    Locale.ROOT,
                    "expected at most %d, the largest context that fits%s",
                    fits,
                    halfAsLarge())));
  }

  private String halfAsLarge() {
    return format.equals(KvFormat.F16) ? "" : " (F16 elements take less)";
  }

  /// How the size comes about, for people.
  String formula(int positions) {
    return String.format(
        Locale.ROOT,
        "%d layers x 2 x %d KV heads x %d x %d positions x %d bytes",
        config.layers(),
        config.kvHeads(),
        config.headDim(),
        positions,
        format.elementBytes());
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20);
  }
}
