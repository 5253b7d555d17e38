package dev.quern.llama.gguf;

import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import dev.quern.data.WeightMatrix;
import dev.quern.llama.bytes.LittleEndian;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A GGUF model, opened: its metadata, its tensor table, and access to the tensors' data. A model
/// that was split into shards is one `GgufFile`.
///
/// Nothing is read ahead. Each tensor is mapped by itself, in an arena of the caller's, so that the
/// memory of one that is no longer needed can be given back; such a mapping outlives [#close()].
///
/// A file must not change while it is open. Nothing here can prevent that, and what happens is
/// this: overwritten bytes show up as other weights or metadata. Metadata is checked again when it
/// is decoded, so at worst it ends in a [GgufException]. If the file becomes shorter, access to a
/// page that no longer exists is an [InternalError] in the thread that touched it, and in native
/// code the end of the process (SIGBUS).
///
/// Safe for use by several threads.
///
/// @since 0.1
/// @stability api
public final class GgufFile implements AutoCloseable {
  private final List<GgufShard> shards;
  private final Map<String, GgufTensor> tensors; // by name, in the order of the files

  private GgufFile(List<GgufShard> shards) {
    this.shards = List.copyOf(shards);
    Map<String, GgufTensor> all = new LinkedHashMap<>();
    shards.forEach(s -> s.header().tensors().forEach(t -> all.put(t.name(), t)));
    this.tensors = GgufPlanes.joined(this, all);
  }

  /// Opens a model: a file, or the first shard of several (`NAME-00001-of-00003.gguf`), whose
  /// others must lie beside it.
  ///
  /// @throws GgufException where the file is not there, no GGUF file, damaged, or a shard is
  ///   missing
  /// @throws IOException where reading fails
  public static GgufFile open(Path path) throws IOException {
    return of(GgufShard.openAll(path));
  }

  /// Opens a model that is in memory, of one file.
  ///
  /// @param name what messages call it
  /// @param file the bytes of a GGUF file; tensors are copied when they are mapped
  /// @throws GgufException where they are no GGUF file, or damaged
  public static GgufFile of(String name, byte[] file) throws IOException {
    return of(List.of(GgufShard.open(Path.of(name), GgufSource.of(file), 0)));
  }

  private static GgufFile of(List<GgufShard> shards) throws IOException {
    try {
      return new GgufFile(shards);
    } catch (Throwable t) { // rethrown: only what was opened here is released
      try {
        GgufShard.closeAll(shards);
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  /// The file's version of the format, 2 or 3.
  public int version() {
    return shards.getFirst().header().version();
  }

  /// The metadata (of the first shard, where a model has several).
  public GgufMetadata metadata() {
    return shards.getFirst().header().metadata();
  }

  /// The files of the model, the one that was opened first; none where it is in memory.
  public List<Path> files() {
    return shards.stream().filter(s -> s.source().onDisk()).map(GgufShard::path).toList();
  }

  /// All tensors, in the order of the files.
  public List<GgufTensor> tensors() {
    return List.copyOf(tensors.values());
  }

  /// The tensor of that name, if the model has it.
  public Optional<GgufTensor> findTensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /// The tensor of that name.
  ///
  /// @throws GgufException where the model does not have it
  public GgufTensor tensor(String name) {
    return findTensor(name)
        .orElseThrow(() ->
            new GgufException(
                String.format(
                    Locale.ROOT,
                    "%s: tensor %s: missing among the model's %d tensors, expected it: the file is not a complete model of this kind",
                    shards.getFirst().name(),
                    Printable.quoted(name),
                    tensors.size())));
  }

  /// The plane of scales of weights that have one, a tensor of its own; empty where scales sit
  /// inside the blocks.
  public Optional<GgufTensor> scales(GgufTensor weights) {
    boolean plane =
        weights.format().isPresent()
            && !weights.format().get().scalePlane().equals(ScalePlane.INLINE);
    return plane ? Optional.of(tensor(weights.name() + GgufWriter.SCALES)) : Optional.empty();
  }

  /// Whether a tensor is the plane of scales of another one.
  public boolean isScales(GgufTensor tensor) {
    String name = tensor.name();
    return name.endsWith(GgufWriter.SCALES)
        && findTensor(name.substring(0, name.length() - GgufWriter.SCALES.length()))
            .flatMap(this::scales)
            .equals(Optional.of(tensor));
  }

  /// Maps a tensor's data (of weights with a plane of scales, the data plane), read-only, without
  /// regard to its type.
  ///
  /// @param tensor one of this model's
  /// @param arena whose end unmaps it; kernels need one that all threads may access
  /// @return `byteSize` bytes; their address has the file's alignment, not more
  /// @throws GgufException where the type is so new that its size is unknown, or the file is
  ///   shorter than when it was opened
  /// @throws IOException where mapping fails
  public MemorySegment map(GgufTensor tensor, Arena arena) throws IOException {
    return shard(tensor).map(tensor, arena);
  }

  /// Maps a tensor of two dimensions as weights `[outputs = dims[1]][inputs = dims[0]]`, with the
  /// plane of its scales if it has one.
  ///
  /// @throws GgufException where kernels have no format for the type, or the shape does not fit
  /// @throws IOException where mapping fails
  public WeightMatrix weights(GgufTensor tensor, Arena arena) throws IOException {
    BlockFormat format = format(tensor);
    long[] dims = tensor.dims();
    if (dims.length != 2 || dims[0] > Integer.MAX_VALUE || dims[1] > Integer.MAX_VALUE) {
      throw fail(tensor, "its shape", "two dimensions below 2^31");
    }
    Optional<GgufTensor> scales = scales(tensor);
    return new WeightMatrix(
        format,
        map(tensor, arena),
        scales.isPresent() ? map(scales.get(), arena) : MemorySegment.NULL,
        (int) dims[1],
        (int) dims[0]);
  }

  /// Reads a tensor of one dimension and type F32, F16 or BF16, such as the weights of a norm.
  ///
  /// @return `[dims[0]]` floats
  /// @throws GgufException where the type or shape is another one
  /// @throws IOException where mapping fails
  public float[] vector(GgufTensor tensor) throws IOException {
    BlockFormat format = format(tensor);
    long[] dims = tensor.dims();
    if (dims.length != 1 || dims[0] > Integer.MAX_VALUE - 8) {
      throw fail(tensor, "its shape", "one dimension below 2^31 - 8");
    }
    if (format.blockElements() != 1) {
      throw fail(tensor, "its type", "F32, F16 or BF16");
    }
    float[] values = new float[(int) dims[0]]; // no larger than the file, which holds them
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = map(tensor, arena);
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (format.id()) {
              case "F32" -> LittleEndian.f32(data, 4L * i);
              case "F16" -> LittleEndian.f16(data, 2L * i);
              case "BF16" -> LittleEndian.bf16(data, 2L * i);
              default -> throw fail(tensor, "its type", "F32, F16 or BF16");
            };
      }
    }
    return values;
  }

  /// Closes the files. Mapped tensors stay usable until their arenas end, metadata does not.
  @Override
  public void close() throws IOException {
    GgufShard.closeAll(shards);
  }

  private BlockFormat format(GgufTensor tensor) {
    return tensor
        .format()
        .orElseThrow(() ->
            fail(
                tensor,
                "weights of a type that no kernel takes",
                String.format(
                    Locale.ROOT,
                    "one of %s: use the model in another quantization",
                    GgmlType.supportedNames())));
  }

  GgufException fail(GgufTensor tensor, String actual, String expected) {
    return shards.get(tensor.shard()).fail(tensor, actual, expected);
  }

  private GgufShard shard(GgufTensor tensor) {
    if (!tensor.equals(tensors.get(tensor.name()))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: of another model, expected one from this file's table",
              shards.getFirst().name(),
              tensor));
    }
    return shards.get(tensor.shard());
  }
}
