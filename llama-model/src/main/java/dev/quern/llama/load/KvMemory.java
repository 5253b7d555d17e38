package dev.quern.llama.load;

import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/// The memory of a session's KV cache, known before any of it is allocated.
///
/// @param config the model's shape
/// @param format element format of the cache
public record KvMemory(LlamaConfig config, KvFormat format) {
  /// Bytes for so many positions: layers x 2 planes x KV heads x head's elements x positions x
  /// bytes of an element.
  public long bytes(int positions) {
    return Math.multiplyExact(
        2L * config.layers(),
        KvCache.planeBytes(format, config.kvHeads(), config.headDim(), positions));
  }

  /// Most positions that so many bytes hold; 0 if not even one.
  public int positions(long bytes) {
    return (int) Math.min(config.contextLength(), bytes / bytes(1));
  }

  /// A context is a promise, so one that does not fit is refused before anything is allocated,
  /// though the caches grow with the conversation.
  ///
  /// @param available bytes, see [dev.quern.llama.machine.AvailableMemory]; empty if unknown
  /// @throws LlamaException if the positions need more, with the largest context that fits
  public void requireFits(int positions, OptionalLong available) {
    Optional<String> refusal = refusal(positions, 0, available);
    if (refusal.isPresent()) {
      throw new LlamaException(refusal.get());
    }
  }

  /// The same for several sequences, each with a cache of its own.
  ///
  /// @param taken bytes that others are going to take
  /// @throws LlamaException if they need more, with how many fit
  public void requireFits(long sequences, int positions, long taken, OptionalLong available) {
    if (available.isEmpty()) {
      return;
    }
    long left = available.getAsLong() - taken;
    if (bytes(positions) > left / sequences) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "engine: %d sequences and prefixes of context=%d need %s of KV cache, and %s of memory is available: expected at most %d of them, or a smaller context",
              sequences,
              positions,
              mebibytes((double) sequences * bytes(positions)),
              mebibytes(left),
              Math.max(0, left / bytes(positions))));
    }
  }

  /// Why positions don't fit, in a line; empty if they do.
  ///
  /// @param weights bytes that weights take besides, from now on
  public Optional<String> refusal(int positions, long weights, OptionalLong available) {
    if (available.isEmpty() || bytes(positions) <= available.getAsLong() - weights) {
      return Optional.empty();
    }
    int fits = positions(Math.max(0, available.getAsLong() - weights));
    return Optional.of(
        String.format(
            Locale.ROOT,
            "context=%d needs %s of KV cache (%s)%s, and %s of memory is available: %s",
            positions,
            mebibytes(bytes(positions)),
            formula(positions),
            weights == 0
                ? ""
                : String.format(
                    Locale.ROOT, ", the weights %s as they are packed", mebibytes(weights)),
            mebibytes(available.getAsLong()),
            remedy(fits, weights)));
  }

  private String remedy(int fits, long weights) {
    if (fits > 0) {
      return String.format(
          Locale.ROOT, "expected at most %d, the largest context that fits%s", fits, halfAsLarge());
    }
    return weights == 0
        ? "not one position fits; free some memory"
        : "not one position fits; free some memory or raise the limit of the control group, take a model of fewer bits a weight, or quern.provider=scalar, which reads the file where it is mapped";
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

  private static String mebibytes(double bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20);
  }
}
