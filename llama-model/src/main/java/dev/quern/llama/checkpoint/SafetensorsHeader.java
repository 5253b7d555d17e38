package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Json;
import dev.quern.llama.text.Printable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The header of a safetensors file (`README.md` of github.com/huggingface/safetensors, "Format"):
///
/// ```
/// u64     N, bytes of the header; little-endian
/// N bytes JSON, begins with {, may end in spaces:
///         {"NAME": {"dtype": "F16", "shape": [3, 4], "data_offsets": [0, 24]}, ...,
///          "__metadata__": {"KEY": "VALUE", ...}}
/// rest    data; offsets count from here. Arrays lie end to end and fill it
/// ```
final class SafetensorsHeader {
  /// The reference implementation's limit.
  static final long MAX_HEADER_BYTES = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final long MAX_OFFSET = Long.MAX_VALUE;

  private final String file;
  private final int index;
  private final long dataStart;
  private final long dataBytes;

  private SafetensorsHeader(String file, int index, long dataStart, long dataBytes) {
    this.file = file;
    this.index = index;
    this.dataStart = dataStart;
    this.dataBytes = dataBytes;
  }

  /// Reads and checks a file's header.
  ///
  /// @param index of the file within the model
  /// @return its tensors, in the order of their data
  static List<StoredTensor> read(FileBytes bytes, int index) throws IOException {
    String file = bytes.file();
    long size = bytes.size();
    if (size < LENGTH_BYTES) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: %d bytes, expected a safetensors file: it is cut short, get it again",
              file,
              size));
    }
    long length = bytes.read(0, LENGTH_BYTES).getLong(0);
    long most = Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES);
    if (length < 2 || length > most) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: byte 0: a header of %s bytes, expected 2 to %d: not a safetensors file, or cut short",
              file,
              Long.toUnsignedString(length),
              most));
    }
    byte[] json = bytes.read(LENGTH_BYTES, (int) length).array();
    if (json[0] != '{') {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: byte %d: 0x%02x, expected '{': not a safetensors file",
              file,
              LENGTH_BYTES,
              json[0]));
    }
    long dataStart = LENGTH_BYTES + length;
    SafetensorsHeader header = new SafetensorsHeader(file, index, dataStart, size - dataStart);
    List<StoredTensor> tensors = new ArrayList<>();
    Json.stream(
        file + ": header",
        new ByteArrayInputStream(json),
        CheckpointException::new,
        (name, entry) -> {
          if (name.equals("__metadata__")) {
            entry.members((_, value) -> value.string());
          } else {
            tensors.add(header.tensor(name, entry));
          }
        });
    tensors.sort(Comparator.comparingLong(StoredTensor::offset));
    header.checkPlaces(tensors);
    return tensors;
  }

  private StoredTensor tensor(String name, Json entry) throws IOException {
    Parts parts = new Parts();
    entry.members((key, value) -> {
      switch (key) {
        case "dtype" -> parts.type = type(value);
        case "shape" -> parts.shape = numbers(value, StoredTensor.MAX_DIMS);
        case "data_offsets" -> parts.offsets = numbers(value, 2);
        default -> throw value.fail("a member of that name", "dtype, shape and data_offsets");
      }
    });
    if (parts.type == null || parts.shape == null || parts.offsets == null) {
      throw fail(name, "an incomplete entry", "dtype, shape and data_offsets");
    }
    if (parts.offsets.size() != 2) {
      throw fail(name, String.format(Locale.ROOT, "%d data_offsets", parts.offsets.size()), "two");
    }
    long begin = parts.offsets.get(0);
    long end = parts.offsets.get(1);
    if (begin > end || end > dataBytes) {
      throw fail(
          name,
          String.format(Locale.ROOT, "data_offsets %s", parts.offsets),
          String.format(
              Locale.ROOT,
              "a range of the %d bytes of data: the file is cut short or damaged, get it again",
              dataBytes));
    }
    if (parts.shape.stream().anyMatch(dim -> dim < 1)) {
      throw fail(name, "the shape " + parts.shape, "dimensions of at least 1");
    }
    requireSize(name, parts.type, parts.shape, end - begin);
    return new StoredTensor(name, parts.type, parts.shape, index, dataStart + begin, end - begin);
  }

  private static final class Parts {
    private DType type;
    private List<Long> shape;
    private List<Long> offsets;
  }

  private static DType type(Json value) throws IOException {
    String name = value.string();
    Optional<DType> type = DType.byName(name);
    if (type.isEmpty()) {
      throw value.fail(
          Printable.quoted(name), String.format(Locale.ROOT, "one of %s", List.of(DType.values())));
    }
    return type.get();
  }

  private static List<Long> numbers(Json value, int max) throws IOException {
    List<Long> numbers = new ArrayList<>();
    value.elements((_, number) -> {
      if (numbers.size() == max) {
        throw number.fail("one more number", "at most " + max);
      }
      numbers.add(number.count(MAX_OFFSET));
    });
    return numbers;
  }

  private void requireSize(String name, DType type, List<Long> shape, long bytes) {
    long expected;
    try {
      expected = StoredTensor.byteSize(type, shape);
    } catch (ArithmeticException e) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: the shape %s of type %s, expected a size below 2^63 bytes",
              file,
              Printable.quoted(name),
              shape,
              type),
          e);
    }
    if (expected != bytes) {
      throw fail(
          name,
          String.format(Locale.ROOT, "%d bytes of data", bytes),
          String.format(Locale.ROOT, "%d for %s%s", expected, type, shape));
    }
  }

  /// Arrays lie end to end: a gap could hide something, an overlap would show bytes as two things.
  private void checkPlaces(List<StoredTensor> byOffset) {
    long end = dataStart;
    for (StoredTensor tensor : byOffset) {
      if (tensor.offset() != end) {
        throw fail(
            tensor.name(),
            String.format(Locale.ROOT, "data at offset %d", tensor.offset() - dataStart),
            String.format(
                Locale.ROOT,
                "it at %d, where the data before it ends: no %s",
                end - dataStart,
                tensor.offset() > end ? "gaps" : "overlaps"));
      }
      end += tensor.byteSize();
    }
    if (end != dataStart + dataBytes) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: %d bytes of data, expected %d, which the header lists",
              file,
              dataBytes,
              end - dataStart));
    }
  }

  private CheckpointException fail(String name, String actual, String expected) {
    return new CheckpointException(
        String.format(
            Locale.ROOT,
            "%s: tensor %s: %s, expected %s",
            file,
            Printable.quoted(name),
            actual,
            expected));
  }
}
