package dev.quern.llama.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Builds `.pth` files as `torch.save` writes them (pickle protocol 2 in a zip of stored entries),
/// without the code under test.
public final class TorchBytes {
  private static final Map<String, String> STORAGES =
      Map.of(
          "F32", "FloatStorage",
          "F16", "HalfStorage",
          "BF16", "BFloat16Storage",
          "I8", "CharStorage",
          "I64", "LongStorage");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /// An archive of these arrays, each in a storage of its own.
  public static void write(Path file, Map<String, SafetensorsBytes.Array> arrays)
      throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    TorchBytes pickle = new TorchBytes().begin();
    int key = 0;
    for (Map.Entry<String, SafetensorsBytes.Array> array : arrays.entrySet()) {
      SafetensorsBytes.Array a = array.getValue();
      long elements = 1;
      for (long dim : a.shape()) {
        elements *= dim;
      }
      pickle
          .text(array.getKey())
          .tensor(STORAGES.get(a.type()), "" + key, elements, 0, a.shape(), strides(a.shape()));
      entries.put("consolidated.00/data/" + key++, a.data());
    }
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("consolidated.00/data.pkl", pickle.end());
    all.put("consolidated.00/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    all.putAll(entries);
    all.put("consolidated.00/version", "3\n".getBytes(StandardCharsets.US_ASCII));
    try (OutputStream to = Files.newOutputStream(file)) {
      to.write(zip(all));
    }
  }

  static long[] strides(long... shape) {
    long[] strides = new long[shape.length];
    long dense = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = dense;
      dense *= shape[i];
    }
    return strides;
  }

  static byte[] zip(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(e.getKey());
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(e.getValue().length);
        CRC32 crc = new CRC32();
        crc.update(e.getValue());
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(e.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  /// PROTO 2, an empty dictionary, MARK.
  TorchBytes begin() {
    return raw(0x80, 2, '}').memo(0).raw('(');
  }

  /// SETITEMS, STOP.
  byte[] end() {
    return raw('u', '.').bytes();
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  TorchBytes raw(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  TorchBytes memo(int slot) {
    return raw('q', slot);
  }

  TorchBytes text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    raw('X');
    out.writeBytes(
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(utf8.length).array());
    out.writeBytes(utf8);
    return this;
  }

  TorchBytes number(long value) {
    if (value >= 0 && value < 256) {
      return raw('K', (int) value);
    }
    if (value == (int) value) {
      raw('J');
      out.writeBytes(
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt((int) value).array());
      return this;
    }
    raw(0x8a, 8);
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  TorchBytes global(String module, String name) {
    raw('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    return this;
  }

  TorchBytes tuple(long... values) {
    raw('(');
    for (long value : values) {
      number(value);
    }
    return raw('t');
  }

  /// `_rebuild_tensor_v2(pers_id(("storage", type, key, "cpu", n)), offset, size, stride, False,
  /// OrderedDict())`
  TorchBytes tensor(
      String storage, String key, long elements, long offset, long[] shape, long[] strides) {
    return global("torch._utils", "_rebuild_tensor_v2")
        .raw('(', '(')
        .text("storage")
        .global("torch", storage)
        .text(key)
        .text("cpu")
        .number(elements)
        .raw('t', 'Q')
        .number(offset)
        .tuple(shape)
        .tuple(strides)
        .raw(0x89)
        .global("collections", "OrderedDict")
        .raw(')', 'R', 't', 'R');
  }

  /// The names of all entries that a sound file of one tensor `w`, F32 [2, 3], has.
  static Map<String, byte[]> sound() {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put(
        "archive/data.pkl",
        new TorchBytes()
            .begin()
            .text("w")
            .tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1})
            .end());
    entries.put("archive/data/0", new byte[24]);
    return entries;
  }
}
