package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Json;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// The arrays of a model folder, by name, whatever files they are in:
///
/// ```
/// model.safetensors                   one file
/// model.safetensors.index.json        {"weight_map": {"NAME": "SHARD", ...}} and the shards
/// consolidated.00.pth                 PyTorch's zip container, as Meta ships Llama
/// ```
///
/// Nothing is read ahead. Each array is mapped by itself, in an arena of the caller's; such a
/// mapping outlives [#close()]. What happens if a file changes meanwhile is what happens with
/// [dev.quern.llama.gguf.GgufFile].
///
/// Safe for use by several threads.
///
/// @since 0.1
/// @stability api
public final class TensorStore implements AutoCloseable {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";
  static final String TORCH = "consolidated.00.pth";
  private static final String TORCH_NEXT = "consolidated.01.pth";

  private static final long MAX_INDEX_BYTES = 64 << 20;
  private static final int MAX_SHARDS = 4096;

  /// A file of the model, open for reading.
  private record OpenFile(Path path, String name, FileChannel channel) {
    private FileBytes bytes() {
      return new FileBytes(name, channel);
    }
  }

  private final List<OpenFile> files = new ArrayList<>();
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  private TensorStore() {}

  /// Opens the one kind of container that the folder has.
  ///
  /// @throws CheckpointException where there is none or more than one, or a file is damaged
  public static TensorStore open(ModelFolder folder) throws IOException {
    List<String> present = List.of(SINGLE, INDEX, TORCH).stream().filter(folder::has).toList();
    Map<String, String> index = present.contains(INDEX) ? index(folder) : Map.of();
    // MLX's tools write an index beside the one file that it names.
    boolean indexOfSingle =
        present.equals(List.of(SINGLE, INDEX)) && index.values().stream().allMatch(SINGLE::equals);
    String path = Printable.escaped(folder.path().toString());
    if (present.size() != 1 && !indexOfSingle) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: holds %s, expected exactly one of %s, %s and %s%s",
              path,
              present.isEmpty() ? "no model" : String.join(" and ", present),
              SINGLE,
              INDEX,
              TORCH,
              present.contains(SINGLE) && present.contains(INDEX)
                  ? ", or an index of that file alone: remove what is of another model"
                  : ""));
    }
    TensorStore store = new TensorStore();
    try {
      switch (present.getLast()) {
        case SINGLE -> store.addSafetensors(folder.file(SINGLE), SINGLE, folder);
        case INDEX -> store.addShards(folder, index);
        default -> store.addTorch(folder);
      }
      return store;
    } catch (Throwable t) {
      try {
        store.close();
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  /// All arrays, by name.
  public Map<String, StoredTensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /// The files, in the order that [StoredTensor#file()] counts them.
  public List<Path> files() {
    return files.stream().map(OpenFile::path).toList();
  }

  /// What messages call the file that an array is in.
  public String fileName(StoredTensor tensor) {
    return files.get(tensor.file()).name();
  }

  /// Maps an array's data, read-only.
  ///
  /// @param arena whose end unmaps it; kernels need one that all threads may access
  /// @return `byteSize` bytes of any alignment
  /// @throws CheckpointException where the file is shorter than when it was opened
  public MemorySegment map(StoredTensor tensor, Arena arena) throws IOException {
    OpenFile file = files.get(tensor.file());
    long size = file.channel.size();
    if (tensor.byteSize() > size - tensor.offset()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: the file has shrunk to %d bytes, expected it unchanged since it was opened: open the model again",
              file.name,
              tensor,
              size));
    }
    return file.channel.map(MapMode.READ_ONLY, tensor.offset(), tensor.byteSize(), arena);
  }

  /// Closes the files. Mapped arrays stay usable until their arenas end.
  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (OpenFile file : files) {
      try {
        file.channel.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private OpenFile openFile(Path path, String name, ModelFolder folder) throws IOException {
    OpenFile file =
        new OpenFile(
            path,
            Printable.escaped(folder.path().resolve(name).toString()),
            FileChannel.open(path, StandardOpenOption.READ));
    files.add(file);
    return file;
  }

  private List<StoredTensor> addSafetensors(Path path, String name, ModelFolder folder)
      throws IOException {
    OpenFile file = openFile(path, name, folder);
    List<StoredTensor> found = SafetensorsHeader.read(file.bytes(), files.size() - 1);
    add(found, file.name);
    return found;
  }

  private void addTorch(ModelFolder folder) throws IOException {
    if (folder.has(TORCH_NEXT)) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: a model that was cut for several GPUs (%s is there too), expected one file: get it in safetensors",
              Printable.escaped(folder.path().resolve(TORCH).toString()),
              TORCH_NEXT));
    }
    OpenFile file = openFile(folder.file(TORCH), TORCH, folder);
    add(TorchFile.read(file.bytes(), files.size() - 1), file.name);
  }

  private void add(List<StoredTensor> found, String file) {
    for (StoredTensor tensor : found) {
      StoredTensor other = tensors.putIfAbsent(tensor.name(), tensor);
      if (other != null) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: also in %s, expected each tensor in one file of the model",
                file,
                Printable.quoted(tensor.name()),
                fileName(other)));
      }
    }
  }

  /// The shard of each tensor, by the index.
  private static Map<String, String> index(ModelFolder folder) throws IOException {
    Map<String, String> shardOf = new LinkedHashMap<>();
    Json.stream(
        folder.file(INDEX),
        MAX_INDEX_BYTES,
        CheckpointException::new,
        (key, json) -> {
          if (key.equals("weight_map")) {
            json.members((name, shard) -> shardOf.put(name, shard.string()));
          } else {
            json.value(); // "metadata": {"total_size": ...} and the like
          }
        });
    return shardOf;
  }

  /// The index and the shards must say the same: a tensor that only one of them knows is damage.
  private void addShards(ModelFolder folder, Map<String, String> shardOf) throws IOException {
    String index = Printable.escaped(folder.path().resolve(INDEX).toString());
    Map<String, Long> shards = new TreeMap<>(); // name to number of tensors, sorted
    shardOf.values().forEach(shard -> shards.merge(shard, 1L, Long::sum));
    if (shards.isEmpty() || shards.size() > MAX_SHARDS) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: weight_map names %d shards, expected 1 to %d",
              index,
              shards.size(),
              MAX_SHARDS));
    }
    for (String shard : shards.keySet()) {
      for (StoredTensor tensor : addSafetensors(folder.file(shard), shard, folder)) {
        if (!shard.equals(shardOf.get(tensor.name()))) {
          throw new CheckpointException(
              String.format(
                  Locale.ROOT,
                  "%s: tensor %s: in %s, expected it in %s as weight_map says: the shards are not of one model",
                  index,
                  Printable.quoted(tensor.name()),
                  Printable.quoted(shard),
                  shardOf.containsKey(tensor.name())
                      ? Printable.quoted(shardOf.get(tensor.name()))
                      : "none"));
        }
      }
    }
    for (Map.Entry<String, String> entry : shardOf.entrySet()) {
      if (!tensors.containsKey(entry.getKey())) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: absent from %s, expected it there: the shards are not of one model",
                index,
                Printable.quoted(entry.getKey()),
                Printable.quoted(entry.getValue())));
      }
    }
  }
}
