package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.Blame;
import dev.quern.data.BlockCodec;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.sampling.LogitsException;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/// Finds what made logits that are NaN or infinite: a weight of the file that is, or else the first
/// layer whose keys or values are. It reads the whole model, so it is for that moment only.
final class NonFinite {
  private static final int ROWS = 64; // of a task

  private final ModelSource source;
  private final Workers workers;

  /// @param source is opened again
  NonFinite(ModelSource source, Workers workers) {
    this.source = source;
    this.workers = workers;
  }

  /// One line that blames the file's tensor, or says that it is none and where the first such
  /// number is.
  ///
  /// @param caches of the session, with the tokens that led to the logits
  /// @param positions how many
  LlamaException explain(LogitsException logits, KvCaches caches, int positions) {
    String name = Printable.escaped(source.name());
    String weights;
    try {
      Optional<String> tensor = firstTensor();
      if (tensor.isPresent()) {
        return new LlamaException(
            String.format(
                Locale.ROOT,
                "%s: %s, expected finite numbers: the file is damaged, download or convert it again (%s)",
                name,
                tensor.get(),
                logits.getMessage()),
            logits);
      }
      weights = "all weights are finite";
    } catch (IOException | RuntimeException e) {
      logits.addSuppressed(e);
      weights = "the file can't be read again: " + e.getMessage();
    }
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: %s; %s, and %s: a kernel overflows or is wrong; compare with quern.provider=scalar and an F32 KV cache",
            name,
            logits.getMessage(),
            weights,
            caches
                .firstNonFinite(positions)
                .map(place -> "the first numbers that are not are " + place)
                .orElse("so are all keys and values: the last layer or the output matrix")),
        logits,
        Blame.DEFECT);
  }

  /// The first tensor with weights that are not finite, and how many.
  private Optional<String> firstTensor() throws IOException {
    try (Checkpoint checkpoint = source.open()) {
      for (Checkpoint.Tensor tensor : checkpoint.tensors()) {
        long broken =
            tensor.isMatrix() ? inMatrix(checkpoint, tensor) : inVector(checkpoint, tensor);
        if (broken > 0) {
          return Optional.of(
              String.format(
                  Locale.ROOT,
                  "tensor %s: %d of its %d weights NaN or infinite",
                  Printable.quoted(tensor.label()),
                  broken,
                  tensor.elements()));
        }
      }
      return Optional.empty();
    }
  }

  private static long inVector(Checkpoint checkpoint, Checkpoint.Tensor tensor) throws IOException {
    long broken = 0;
    for (float value : checkpoint.vector(tensor)) {
      broken += Float.isFinite(value) ? 0 : 1;
    }
    return broken;
  }

  private long inMatrix(Checkpoint checkpoint, Checkpoint.Tensor tensor) throws IOException {
    LongAdder broken = new LongAdder();
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix matrix = checkpoint.weights(tensor, arena, workers);
      BlockCodec codec = BlockCodec.of(matrix.format()).orElseThrow();
      long rowBytes = (long) matrix.inputs() * Float.BYTES;
      MemorySegment rows = arena.allocate(workers.parallelism() * rowBytes, Float.BYTES);
      workers.run(
          Math.ceilDiv(matrix.outputs(), ROWS),
          (task, worker) -> {
            MemorySegment row = rows.asSlice(worker * rowBytes, rowBytes);
            for (int r = task * ROWS; r < Math.min(matrix.outputs(), (task + 1) * ROWS); r++) {
              codec.decodeRow(matrix, r, row, 0);
              broken.add(count(row));
            }
          });
    }
    return broken.sum();
  }

  private static long count(MemorySegment floats) {
    long broken = 0;
    for (long i = 0; i < floats.byteSize() / Float.BYTES; i++) {
      broken += Float.isFinite(floats.getAtIndex(JAVA_FLOAT, i)) ? 0 : 1;
    }
    return broken;
  }
}
