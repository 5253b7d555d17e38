package dev.quern.llama.quantize;

import dev.quern.data.BlockFormat;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A model that can be quantised, whatever kind of file it comes from: tensors under the names of
/// GGUF's `llama` architecture, and the metadata that goes with them.
public interface TensorSource extends AutoCloseable {
  /// A tensor.
  ///
  /// @param name GGUF's, such as `blk.0.attn_q.weight`
  /// @param format how the source stores it
  /// @param dims GGUF's order: `dims[0]` is the row length
  record Tensor(String name, BlockFormat format, long[] dims) {
    /// Number of weights.
    public long elements() {
      return Arrays.stream(dims).reduce(1, Math::multiplyExact);
    }

    /// Whether it has rows and columns, as opposed to the weights of a norm.
    public boolean isMatrix() {
      return dims.length == 2;
    }
  }

  /// What messages call the model.
  String name();

  /// All tensors, in the order in which they are to be written.
  List<Tensor> tensors();

  /// The bytes of a tensor, dense rows in its format, accessible from all threads.
  ///
  /// @param arena whose end gives the memory back
  MemorySegment data(Tensor tensor, Arena arena) throws IOException;

  /// Adds the model's metadata to a new file: all but the keys about a file's formats
  /// (`general.file_type`, `general.quantization_version`), its alignment and its shards.
  void writeMetadata(GgufWriter writer);

  @Override
  void close() throws IOException;
}
