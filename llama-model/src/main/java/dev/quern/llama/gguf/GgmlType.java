package dev.quern.llama.gguf;

import dev.quern.data.BlockFormat;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// A tensor type of ggml, as its id in a file names it. Ids without a row in the table are legal
/// too: files are often newer than their readers.
///
/// @param id the id in the file (`enum ggml_type` of `ggml.h`)
/// @param name ggml's name for it
/// @param blockElements weights of a block; 0 where the block's size is not known here
/// @param blockBytes bytes of a block; 0 where the block's size is not known here
/// @since 0.1
/// @stability api
public record GgmlType(int id, String name, int blockElements, int blockBytes) {
  // Sizes from ggml-common.h. Types that were removed from ggml keep their names for messages.
  private static final List<GgmlType> TABLE =
      List.of(
          new GgmlType(0, "F32", 1, 4),
          new GgmlType(1, "F16", 1, 2),
          new GgmlType(2, "Q4_0", 32, 18),
          new GgmlType(3, "Q4_1", 32, 20),
          new GgmlType(4, "Q4_2", 0, 0), // removed
          new GgmlType(5, "Q4_3", 0, 0), // removed
          new GgmlType(6, "Q5_0", 32, 22),
          new GgmlType(7, "Q5_1", 32, 24),
          new GgmlType(8, "Q8_0", 32, 34),
          new GgmlType(9, "Q8_1", 32, 36),
          new GgmlType(10, "Q2_K", 256, 84),
          new GgmlType(11, "Q3_K", 256, 110),
          new GgmlType(12, "Q4_K", 256, 144),
          new GgmlType(13, "Q5_K", 256, 176),
          new GgmlType(14, "Q6_K", 256, 210),
          new GgmlType(15, "Q8_K", 256, 292),
          new GgmlType(16, "IQ2_XXS", 256, 66),
          new GgmlType(17, "IQ2_XS", 256, 74),
          new GgmlType(18, "IQ3_XXS", 256, 98),
          new GgmlType(19, "IQ1_S", 256, 50),
          new GgmlType(20, "IQ4_NL", 32, 18),
          new GgmlType(21, "IQ3_S", 256, 110),
          new GgmlType(22, "IQ2_S", 256, 82),
          new GgmlType(23, "IQ4_XS", 256, 136),
          new GgmlType(24, "I8", 1, 1),
          new GgmlType(25, "I16", 1, 2),
          new GgmlType(26, "I32", 1, 4),
          new GgmlType(27, "I64", 1, 8),
          new GgmlType(28, "F64", 1, 8),
          new GgmlType(29, "IQ1_M", 256, 56),
          new GgmlType(30, "BF16", 1, 2),
          new GgmlType(31, "Q4_0_4_4", 0, 0), // removed
          new GgmlType(32, "Q4_0_4_8", 0, 0), // removed
          new GgmlType(33, "Q4_0_8_8", 0, 0), // removed
          new GgmlType(34, "TQ1_0", 256, 54),
          new GgmlType(35, "TQ2_0", 256, 66),
          new GgmlType(36, "IQ4_NL_4_4", 0, 0), // removed
          new GgmlType(37, "IQ4_NL_4_8", 0, 0), // removed
          new GgmlType(38, "IQ4_NL_8_8", 0, 0), // removed
          new GgmlType(39, "MXFP4", 32, 17),
          new GgmlType(40, "NVFP4", 64, 36),
          new GgmlType(41, "Q1_0", 0, 0),
          new GgmlType(42, "Q2_0", 0, 0));

  public GgmlType {
    Objects.requireNonNull(name, "name");
  }

  /// The type of an id. An id without a row is named `unknown` and has no block size.
  public static GgmlType of(int id) {
    return id >= 0 && id < TABLE.size() ? TABLE.get(id) : unknown(id);
  }

  /// The type that stores a block format.
  ///
  /// @throws IllegalArgumentException where GGUF has none, as for INT4_B32
  public static GgmlType of(BlockFormat format) {
    return TABLE.stream()
        .filter(t -> t.name.equals(format.id()))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "block format %s: not a GGUF tensor type, expected one of %s",
                    format,
                    supportedNames())));
  }

  /// The block format that kernels know this type by; empty where it can be listed only.
  public Optional<BlockFormat> format() {
    return BlockFormat.byId(name);
  }

  /// Whether the size of a block, and so of a tensor, is known.
  public boolean isSized() {
    return blockBytes > 0;
  }

  /// Bytes of a tensor of this type.
  ///
  /// @param dims `dims[0]` is the row length, each at least 1
  /// @throws IllegalArgumentException where a row is not a whole number of blocks, the size exceeds
  ///   a long, or the block size is not known
  public long byteSize(long... dims) {
    if (!isSized()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "type %s: its block size is not known", this));
    }
    if (dims[0] % blockElements != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a row of %d weights, expected a multiple of %d (type %s)",
              dims[0],
              blockElements,
              name));
    }
    long blocks = dims[0] / blockElements;
    long bytes = blockBytes;
    try {
      bytes = Math.multiplyExact(bytes, blocks);
      for (int i = 1; i < dims.length; i++) {
        bytes = Math.multiplyExact(bytes, dims[i]);
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "shape %s of type %s, expected a size below 2^63 bytes",
              Arrays.toString(dims),
              name),
          e);
    }
    return bytes;
  }

  /// The name, and the id where a reader may need it to look the type up.
  @Override
  public String toString() {
    return format().isPresent()
        ? name
        : String.format(Locale.ROOT, "%s (ggml type id %s)", name, unsigned(id));
  }

  /// The names of the types whose weights can be used, for messages.
  static String supportedNames() {
    return String.join(
        ", ", TABLE.stream().filter(t -> t.format().isPresent()).map(GgmlType::name).toList());
  }

  private static GgmlType unknown(int id) {
    return new GgmlType(id, "unknown", 0, 0);
  }

  private static String unsigned(int id) {
    return Integer.toUnsignedString(id);
  }
}
