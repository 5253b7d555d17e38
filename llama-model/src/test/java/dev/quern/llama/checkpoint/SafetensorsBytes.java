package dev.quern.llama.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// Builds safetensors files without the code under test.
public final class SafetensorsBytes {
  /// An array to be stored.
  public record Array(String type, long[] shape, byte[] data) {}

  private final Map<String, Array> arrays = new LinkedHashMap<>();

  public SafetensorsBytes add(String name, String type, byte[] data, long... shape) {
    arrays.put(name, new Array(type, shape, data));
    return this;
  }

  public SafetensorsBytes add(String name, Array array) {
    arrays.put(name, array);
    return this;
  }

  public Map<String, Array> arrays() {
    return arrays;
  }

  /// `model.safetensors`.
  public void writeSingle(Path folder) throws IOException {
    Files.write(folder.resolve("model.safetensors"), file(arrays));
  }

  /// An index and `count` shards, arrays dealt out in turn.
  public void writeShards(Path folder, int count) throws IOException {
    StringBuilder index = new StringBuilder();
    for (int shard = 0; shard < count; shard++) {
      String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", shard + 1, count);
      Map<String, Array> part = new LinkedHashMap<>();
      int i = 0;
      for (Map.Entry<String, Array> array : arrays.entrySet()) {
        if (i++ % count == shard) {
          part.put(array.getKey(), array.getValue());
          index.append(index.isEmpty() ? "" : ",");
          index.append(String.format(Locale.ROOT, "\"%s\":\"%s\"", array.getKey(), name));
        }
      }
      Files.write(folder.resolve(name), file(part));
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        String.format(Locale.ROOT, "{\"metadata\":{\"total_size\":1},\"weight_map\":{%s}}", index));
  }

  private static byte[] file(Map<String, Array> arrays) {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    arrays.forEach((name, array) -> {
      header.append(
          String.format(
              Locale.ROOT,
              ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}",
              name,
              array.type(),
              Arrays.stream(array.shape())
                  .mapToObj(Long::toString)
                  .collect(Collectors.joining(",")),
              data.size(),
              data.size() + array.data().length));
      data.writeBytes(array.data());
    });
    return file(header.append("}  ").toString(), data.toByteArray());
  }

  /// A file of any header, sound or not.
  static byte[] file(String header, byte[] data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }
}
