package dev.quern.llama.quantize;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// How far a matrix is from the same one in another model.
///
/// @param name the tensor's
/// @param format its format
/// @param reference the format in the other model
/// @param weights how many
/// @param squaredError sum over all weights of the squared difference
/// @param squaredReference sum over all weights of the other model's value squared
/// @param equalBytes whether both hold the same bytes
/// @since 0.1
/// @stability api
public record WeightError(
    String name,
    BlockFormat format,
    BlockFormat reference,
    long weights,
    double squaredError,
    double squaredReference,
    boolean equalBytes) {

  /// Root of the mean squared difference.
  public double rms() {
    return Math.sqrt(squaredError / weights);
  }

  /// [#rms()] relative to the other model's root mean square.
  public double relative() {
    return squaredError == 0 ? 0 : Math.sqrt(squaredError / squaredReference);
  }

  /// Compares all matrices of a model with those of another.
  ///
  /// @return in the order of the first model
  /// @throws LlamaException where the other model lacks one, or has it in another shape
  public static List<WeightError> between(Checkpoint model, Checkpoint reference, Workers workers)
      throws IOException {
    List<WeightError> errors = new ArrayList<>();
    for (Checkpoint.Tensor t : model.tensors()) {
      if (t.isMatrix()) {
        errors.add(of(t, model, reference, workers));
      }
    }
    return errors;
  }

  private static WeightError of(
      Checkpoint.Tensor tensor, Checkpoint model, Checkpoint reference, Workers workers)
      throws IOException {
    Checkpoint.Tensor other = reference.tensor(tensor.name());
    if (!tensor.dims().equals(other.dims())) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "tensor %s: %s, expected %s as in the other model",
              tensor.label(),
              tensor.dims(),
              other.dims()));
    }
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix a = model.weights(tensor, arena, workers);
      WeightMatrix b = reference.weights(other, arena, workers);
      double[] error = new double[a.outputs()]; // by row, so that the sum has one order
      double[] square = new double[a.outputs()];
      BlockCodec decodeA = BlockCodec.of(a.format()).orElseThrow();
      BlockCodec decodeB = BlockCodec.of(b.format()).orElseThrow();
      float[][][] rows = new float[workers.parallelism()][2][a.inputs()];
      workers.run(
          a.outputs(),
          (row, worker) -> {
            float[] x = rows[worker][0];
            float[] y = rows[worker][1];
            decodeA.decodeRow(a, row, MemorySegment.ofArray(x), 0);
            decodeB.decodeRow(b, row, MemorySegment.ofArray(y), 0);
            for (int i = 0; i < x.length; i++) {
              double difference = (double) x[i] - y[i];
              error[row] += difference * difference;
              square[row] += (double) y[i] * y[i];
            }
          });
      return new WeightError(
          tensor.name(),
          a.format(),
          b.format(),
          (long) a.outputs() * a.inputs(),
          Arrays.stream(error).sum(),
          Arrays.stream(square).sum(),
          a.format().equals(b.format())
              && equal(a.data(), b.data())
              && equal(a.scales(), b.scales()));
    }
  }

  private static boolean equal(MemorySegment a, MemorySegment b) {
    return a.mismatch(b) == -1;
  }
}
