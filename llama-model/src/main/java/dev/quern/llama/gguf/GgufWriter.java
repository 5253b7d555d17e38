package dev.quern.llama.gguf;

import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import dev.quern.files.NewFile;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.LongStream;

/// Writes a GGUF file of version 3: first the metadata and the tensor table, then the tensors' data
/// in the table's order, in pieces.
///
/// ```java
/// try (GgufWriter writer = GgufWriter.create(path)) {
///   writer.string("general.architecture", "llama").uint32("llama.block_count", 16);
///   writer.tensor("output_norm.weight", BlockFormat.F32, 2048);
///   writer.data("output_norm.weight", segment);
///   writer.finish();
/// }
/// ```
///
/// The file gets its name in [#finish()], complete; before, it is `NAME.<random>.part` beside it,
/// which [#close()], or a signal that ends the JVM, deletes if the writer did not get that far. The
/// name may be that of a regular file or of nothing: links, devices and folders are refused.
/// Metadata and table are kept in memory, data is not.
///
/// One thread's. Misuse, such as a key given twice or data of the wrong size, is an
/// [IllegalArgumentException] or [IllegalStateException] and leaves no file behind.
///
/// @since 0.1
/// @stability api
public final class GgufWriter implements AutoCloseable {
  /// What follows the name of weights in the name of the plane of their scales.
  public static final String SCALES = ".scales";

  // Heap memory is copied to native memory on its way to the file, piece by piece.
  private static final long PIECE_BYTES = 1 << 20;

  private final Path file;
  private final NewFile out;
  private final int alignment;
  private final Set<String> keys = new HashSet<>();
  private final GgufEncoder metadata = new GgufEncoder();
  private final Set<String> names = new HashSet<>();
  private final List<GgufTensor> tensors = new ArrayList<>(); // offsets count from the data's start
  private long dataBytes; // of the tensors so far, padded: where the next one begins
  private boolean headerWritten;
  private int current; // the tensor whose data comes next
  private long currentBytes; // of its data, how many are written

  private GgufWriter(Path file, NewFile out, int alignment) {
    this.file = file;
    this.out = out;
    this.alignment = alignment;
  }

  /// A writer for a file with the usual alignment of 32 bytes.
  ///
  /// @param file replaced by [#finish()] if it exists
  public static GgufWriter create(Path file) throws IOException {
    return new GgufWriter(file, NewFile.open(file, true), GgufHeader.DEFAULT_ALIGNMENT);
  }

  /// [#create(Path)] for a file that must not exist, neither now nor in [#finish()].
  public static GgufWriter createNew(Path file) throws IOException {
    return new GgufWriter(file, NewFile.open(file, false), GgufHeader.DEFAULT_ALIGNMENT);
  }

  /// A writer for a file whose tensors begin at multiples of `alignment`, as its metadata says.
  ///
  /// @param alignment bytes, a power of two of at most 2 MiB
  public static GgufWriter create(Path file, int alignment) throws IOException {
    if (!GgufHeader.isAlignment(alignment)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s: alignment %d, expected a power of two of at most %d",
              file,
              alignment,
              GgufHeader.MAX_ALIGNMENT));
    }
    return new GgufWriter(file, NewFile.open(file, true), alignment)
        .uint32(GgufHeader.ALIGNMENT_KEY, alignment);
  }

  /// Adds a string.
  public GgufWriter string(String key, String value) {
    byte[] utf8 = GgufEncoder.utf8(value);
    entry(key, GgufType.STRING).string(utf8);
    return this;
  }

  /// Adds a boolean.
  public GgufWriter bool(String key, boolean value) {
    entry(key, GgufType.BOOL).integer(GgufType.BOOL, value ? 1 : 0);
    return this;
  }

  /// Adds an integer.
  ///
  /// @param type one of the integer types; `value` must fit it (as UINT64 it is taken unsigned)
  public GgufWriter integer(String key, GgufType type, long value) {
    if (!type.fits(value)) {
      throw problem(
          GgufMetadata.PLACE,
          key,
          String.format(Locale.ROOT, "%d as %s, expected it to fit", value, type));
    }
    if (key.equals(GgufHeader.ALIGNMENT_KEY) && value != alignment) {
      throw problem(
          GgufMetadata.PLACE, key, value + ", expected " + alignment + ", as given to create()");
    }
    entry(key, type).integer(type, value);
    return this;
  }

  /// Adds an unsigned 32-bit integer, GGUF's usual type of counts and ids.
  public GgufWriter uint32(String key, long value) {
    return integer(key, GgufType.UINT32, value);
  }

  /// Adds a 32-bit float.
  public GgufWriter float32(String key, float value) {
    entry(key, GgufType.FLOAT32).i32(Float.floatToRawIntBits(value));
    return this;
  }

  /// Adds a 64-bit float.
  public GgufWriter float64(String key, double value) {
    entry(key, GgufType.FLOAT64).i64(Double.doubleToRawLongBits(value));
    return this;
  }

  /// Adds an array of strings.
  public GgufWriter strings(String key, List<String> values) {
    List<byte[]> encoded = values.stream().map(GgufEncoder::utf8).toList();
    GgufEncoder out = array(key, GgufType.STRING, encoded.size());
    encoded.forEach(out::string);
    return this;
  }

  /// Adds an array of signed 32-bit integers.
  public GgufWriter ints(String key, int[] values) {
    GgufEncoder out = array(key, GgufType.INT32, values.length);
    for (int value : values) {
      out.i32(value);
    }
    return this;
  }

  /// Adds an array of 32-bit floats.
  public GgufWriter floats(String key, float[] values) {
    GgufEncoder out = array(key, GgufType.FLOAT32, values.length);
    for (float value : values) {
      out.i32(Float.floatToRawIntBits(value));
    }
    return this;
  }

  /// Adds another file's value, of any type, as it is. `general.alignment` and the `split` keys
  /// describe the other file itself, so they are refused.
  public GgufWriter copy(GgufMetadata source, String key) {
    if (key.equals(GgufHeader.ALIGNMENT_KEY) || key.startsWith("split.")) {
      throw problem(
          GgufMetadata.PLACE,
          key,
          "it describes the file it comes from, expected one of the model");
    }
    GgufMetadata.Raw raw = source.raw(key);
    entry(key, raw.type()).bytes(raw.bytes());
    return this;
  }

  /// Adds a tensor to the table. Weights whose scales lie in a plane of their own become two: the
  /// data plane under the name, then the scales under the name with [#SCALES] behind it.
  ///
  /// @param dims GGUF's order: `dims[0]` is the row length, a multiple of the format's block; where
  ///   there is a plane of scales, `dims[1]` is the rows
  public GgufWriter tensor(String name, BlockFormat format, long... dims) {
    if (format.scalePlane().equals(ScalePlane.INLINE)) {
      return tensor(name, GgmlType.of(format), dims);
    }
    if (dims.length != 2 || dims[0] % format.blockElements() != 0) {
      throw problem(
          "tensor",
          name,
          String.format(
              Locale.ROOT,
              "%s as %s, expected two dimensions, rows of a multiple of %d",
              Arrays.toString(dims),
              format,
              format.blockElements()));
    }
    if (!keys.contains(GgufPlanes.KEY)) {
      uint32(GgufPlanes.KEY, GgufPlanes.VERSION);
    }
    long blocks = dims[0] / format.blockElements();
    tensor(name, GgufPlanes.DATA, blocks * format.blockBytes(), dims[1]);
    return tensor(
        name + SCALES,
        GgufPlanes.scaleType(format.scalePlane()),
        GgufPlanes.scaleDims(format, blocks, dims[1]));
  }

  /// Adds a tensor of any type of known block size to the table.
  public GgufWriter tensor(String name, GgmlType type, long... dims) {
    requireNoData("tensor", name);
    int nameBytes = GgufEncoder.utf8(name).length;
    if (nameBytes < 1 || nameBytes > GgufTensor.MAX_NAME_BYTES) {
      throw problem("tensor", name, nameBytes + " bytes of name, expected 1 to 64");
    }
    if (dims.length < 1
        || dims.length > GgufTensor.MAX_DIMS
        || LongStream.of(dims).anyMatch(d -> d < 1)) {
      throw problem(
          "tensor", name, Arrays.toString(dims) + ", expected 1 to 4 dimensions of at least 1");
    }
    long byteSize = type.byteSize(dims);
    if (!names.add(name)) {
      throw problem("tensor", name, "added twice, expected once");
    }
    tensors.add(new GgufTensor(name, type, dims, 0, dataBytes, byteSize));
    dataBytes = Math.addExact(dataBytes, padded(byteSize));
    return this;
  }

  /// Writes the next piece of a tensor's data. Metadata and tensors can no longer be added.
  ///
  /// @param name the first tensor in the table that does not have all its data yet
  /// @param piece native memory or a `byte[]`; at most what the tensor still lacks
  public void data(String name, MemorySegment piece) throws IOException {
    if (current == tensors.size()) {
      throw problem("tensor", name, "data for it, expected no more: all tensors have theirs");
    }
    GgufTensor tensor = tensors.get(current);
    if (!tensor.name().equals(name)) {
      throw problem(
          "tensor",
          name,
          String.format(
              Locale.ROOT,
              "data for it, expected that of %s: data comes in the table's order",
              Printable.quoted(tensor.name())));
    }
    if (piece.byteSize() > tensor.byteSize() - currentBytes) {
      throw problem(
          "tensor",
          name,
          String.format(
              Locale.ROOT,
              "%d more bytes, expected at most %d of %d",
              piece.byteSize(),
              tensor.byteSize() - currentBytes,
              tensor.byteSize()));
    }
    if (!piece.isNative() && piece.heapBase().filter(byte[].class::isInstance).isEmpty()) {
      throw problem(
          "tensor",
          name,
          "data in a Java array of another type, expected native memory or a byte[]");
    }
    writeHeader();
    write(piece);
    currentBytes += piece.byteSize();
    if (currentBytes == tensor.byteSize()) {
      write(zeros(padded(currentBytes) - currentBytes));
      current++;
      currentBytes = 0;
    }
  }

  /// Completes the file and gives it its name.
  ///
  /// @throws IllegalStateException where a tensor lacks data
  public void finish() throws IOException {
    if (current < tensors.size()) {
      throw new IllegalStateException(
          problem(
                  "tensor",
                  tensors.get(current).name(),
                  String.format(
                      Locale.ROOT,
                      "%d bytes of data, expected %d before the file is finished",
                      currentBytes,
                      tensors.get(current).byteSize()))
              .getMessage());
    }
    writeHeader();
    out.finish();
  }

  /// Deletes what was written, unless it was finished.
  @Override
  public void close() throws IOException {
    out.close();
  }

  private GgufEncoder array(String key, GgufType elementType, int count) {
    return entry(key, GgufType.ARRAY).i32(elementType.id()).i64(count);
  }

  private GgufEncoder entry(String key, GgufType type) {
    requireNoData(GgufMetadata.PLACE, key);
    byte[] utf8 = GgufEncoder.utf8(key);
    if (utf8.length < 1 || utf8.length > GgufHeader.MAX_KEY_BYTES) {
      throw problem(
          GgufMetadata.PLACE,
          key,
          utf8.length + " bytes, expected 1 to " + GgufHeader.MAX_KEY_BYTES);
    }
    if (!keys.add(key)) {
      throw problem(GgufMetadata.PLACE, key, "added twice, expected once");
    }
    return metadata.string(utf8).i32(type.id());
  }

  private void writeHeader() throws IOException {
    if (headerWritten) {
      return;
    }
    headerWritten = true;
    GgufEncoder header =
        new GgufEncoder()
            .i32(GgufHeader.MAGIC)
            .i32(GgufHeader.VERSION)
            .i64(tensors.size())
            .i64(keys.size())
            .append(metadata);
    for (GgufTensor tensor : tensors) {
      long[] dims = tensor.dims();
      header.string(GgufEncoder.utf8(tensor.name())).i32(dims.length);
      for (long dim : dims) {
        header.i64(dim);
      }
      header.i32(tensor.type().id()).i64(tensor.offset());
    }
    write(MemorySegment.ofArray(header.toByteArray()));
    write(zeros(padded(header.size()) - header.size()));
  }

  private void write(MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += PIECE_BYTES) {
      out.write(bytes.asSlice(at, Math.min(PIECE_BYTES, bytes.byteSize() - at)).asByteBuffer());
    }
  }

  private long padded(long bytes) {
    return Math.multiplyExact(Math.ceilDiv(bytes, alignment), (long) alignment);
  }

  private static MemorySegment zeros(long bytes) {
    return MemorySegment.ofArray(new byte[(int) bytes]); // less than the alignment
  }

  private void requireNoData(String structure, String name) {
    if (headerWritten) {
      throw new IllegalStateException(
          problem(structure, name, "added after data was written, expected before").getMessage());
    }
  }

  private IllegalArgumentException problem(String structure, String name, String problem) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT, "%s: %s %s: %s", file, structure, Printable.quoted(name), problem));
  }
}
