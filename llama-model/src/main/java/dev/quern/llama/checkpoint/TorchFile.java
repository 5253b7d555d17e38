package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32;

/// A `.pth` or `.pt` file as `torch.save` writes it since PyTorch 1.6 (`torch/serialization.py`): a
/// zip archive of stored entries below one folder:
///
/// ```
/// NAME/data.pkl     pickle of a state dictionary: names to views of storages (see TensorUnpickler)
/// NAME/data/KEY     a storage: numbers
/// NAME/byteorder    "little"                                              (may be absent)
/// NAME/version ...  not read
/// ```
final class TorchFile {
  private static final String PICKLE = "data.pkl";

  /// 10,000 tensors need 2 MB.
  private static final long MAX_PICKLE_BYTES = 64 << 20;

  private final String file;
  private final FileBytes bytes;
  private final int index;
  private final Map<String, ZipArchive.Entry> entries;

  private TorchFile(FileBytes bytes, int index, Map<String, ZipArchive.Entry> entries) {
    this.file = bytes.file();
    this.bytes = bytes;
    this.index = index;
    this.entries = entries;
  }

  /// Reads and checks which tensors a file has, and where.
  ///
  /// @param index of the file within the model
  static List<StoredTensor> read(FileBytes bytes, int index) throws IOException {
    return new TorchFile(bytes, index, ZipArchive.read(bytes)).tensors();
  }

  private List<StoredTensor> tensors() throws IOException {
    List<String> pickles =
        entries.keySet().stream()
            .filter(n -> n.equals(PICKLE) || n.endsWith("/" + PICKLE))
            .toList();
    if (pickles.size() != 1) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: %d entries named %s among %d, expected one: not a file of torch.save",
              file,
              pickles.size(),
              PICKLE,
              entries.size()));
    }
    String pickle = pickles.getFirst();
    String folder = pickle.substring(0, pickle.length() - PICKLE.length());
    checkByteOrder(entries.get(folder + "byteorder"));
    byte[] program = content(entries.get(pickle), MAX_PICKLE_BYTES);
    List<StoredTensor> tensors = new ArrayList<>();
    TensorUnpickler.read(file + ": " + Printable.escaped(pickle), program)
        .forEach((name, view) -> tensors.add(tensor(name, view, folder)));
    return tensors;
  }

  private StoredTensor tensor(String name, TensorUnpickler.View view, String folder) {
    TensorUnpickler.Storage storage = view.storage();
    ZipArchive.Entry entry = entries.get(folder + "data/" + storage.key());
    if (entry == null) {
      throw fail(
          name, String.format(Locale.ROOT, "no storage %s", Printable.quoted(storage.key())), "it");
    }
    long element = storage.type().bytes();
    if (storage.elements() > Long.MAX_VALUE / element
        || storage.elements() * element != entry.byteSize()) {
      throw fail(
          name,
          String.format(Locale.ROOT, "a storage of %d bytes", entry.byteSize()),
          String.format(Locale.ROOT, "%d elements of %s", storage.elements(), storage.type()));
    }
    List<Long> shape = view.shape();
    if (shape.size() > StoredTensor.MAX_DIMS || shape.stream().anyMatch(dim -> dim < 1)) {
      throw fail(
          name,
          "the shape " + shape,
          String.format(Locale.ROOT, "at most %d dimensions of at least 1", StoredTensor.MAX_DIMS));
    }
    long byteSize;
    try {
      byteSize = StoredTensor.byteSize(storage.type(), shape);
    } catch (ArithmeticException e) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: the shape %s of type %s, expected a size below 2^63 bytes",
              file,
              Printable.quoted(name),
              shape,
              storage.type()),
          e);
    }
    checkDense(name, view);
    long free = storage.elements() - byteSize / element; // before and behind it
    if (view.offset() > free) {
      throw fail(
          name,
          String.format(
              Locale.ROOT, "%d elements from element %d", byteSize / element, view.offset()),
          String.format(Locale.ROOT, "them within the storage's %d", storage.elements()));
    }
    long offset = entry.offset() + view.offset() * element;
    return new StoredTensor(name, storage.type(), shape, index, offset, byteSize);
  }

  /// Row-major without gaps. The stride of a dimension of 1 means nothing.
  private void checkDense(String name, TensorUnpickler.View view) {
    List<Long> shape = view.shape();
    List<Long> strides = view.strides();
    long dense = 1;
    boolean sound = strides.size() == shape.size();
    for (int i = shape.size() - 1; sound && i >= 0; i--) {
      sound = shape.get(i) == 1 || strides.get(i) == dense;
      dense *= shape.get(i); // below 2^63, as byteSize is
    }
    if (!sound) {
      throw fail(
          name,
          String.format(Locale.ROOT, "the shape %s with strides %s", shape, strides),
          "a contiguous tensor: save it with .contiguous()");
    }
  }

  private void checkByteOrder(ZipArchive.Entry entry) throws IOException {
    if (entry != null) {
      String order = new String(content(entry, 16), StandardCharsets.US_ASCII);
      if (!order.equals("little")) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT, "%s: byteorder %s, expected 'little'", file, Printable.quoted(order)));
      }
    }
  }

  /// An entry's bytes, with its checksum checked. (Those of the tensors are not read for that.)
  private byte[] content(ZipArchive.Entry entry, long maxBytes) throws IOException {
    if (entry.byteSize() > maxBytes) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: zip entry %s: %d bytes, expected at most %d",
              file,
              Printable.quoted(entry.name()),
              entry.byteSize(),
              maxBytes));
    }
    byte[] content = bytes.read(entry.offset(), (int) entry.byteSize()).array();
    CRC32 crc = new CRC32();
    crc.update(content);
    if ((int) crc.getValue() != entry.crc()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: zip entry %s: CRC-32 0x%08x, expected 0x%08x: the file is damaged, get it again",
              file,
              Printable.quoted(entry.name()),
              (int) crc.getValue(),
              entry.crc()));
    }
    return content;
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
