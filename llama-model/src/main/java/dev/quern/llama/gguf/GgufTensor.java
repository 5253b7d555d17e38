package dev.quern.llama.gguf;

import dev.quern.data.BlockFormat;
import dev.quern.llama.text.Printable;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// A row of a file's tensor table.
///
/// @param name unique within the model
/// @param type how the weights are stored
/// @param dims the shape in GGUF's order: `dims[0]` is the row length, `dims[1]` the rows; each at
///   least 1
/// @param shard index into [GgufFile#files()] of the file that holds the data
/// @param offset where the data begins, in bytes from the start of that file
/// @param byteSize bytes of the data; [#UNKNOWN_SIZE] where the type's block size is not known
/// @since 0.1
/// @stability api
public record GgufTensor(
    String name, GgmlType type, long[] dims, int shard, long offset, long byteSize) {

  /// The size of a tensor whose type has no known block size.
  public static final long UNKNOWN_SIZE = -1;

  /// The specification's limit of the length of a tensor's name.
  static final int MAX_NAME_BYTES = 64;

  /// The specification's limit of the number of dimensions.
  static final int MAX_DIMS = 4;

  public GgufTensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    dims = dims.clone();
  }

  /// The shape, `dims[0]` being the row length. The caller's own copy.
  @Override
  public long[] dims() {
    return dims.clone();
  }

  /// The block format that kernels know the weights by; empty where they can be listed only.
  public Optional<BlockFormat> format() {
    return type.format();
  }

  /// The same tensor with its data at another offset.
  GgufTensor at(long offset) {
    return new GgufTensor(name, type, dims, shard, offset, byteSize);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GgufTensor t
        && name.equals(t.name)
        && type.equals(t.type)
        && Arrays.equals(dims, t.dims)
        && shard == t.shard
        && offset == t.offset
        && byteSize == t.byteSize;
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, type, Arrays.hashCode(dims), shard, offset, byteSize);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%s %s%s", Printable.quoted(name), type, Arrays.toString(dims));
  }
}
