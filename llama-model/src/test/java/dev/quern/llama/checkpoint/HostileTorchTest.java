package dev.quern.llama.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `.pth` files that are not what they should be: each is refused in one line, and nothing that
/// they name is looked up.
class HostileTorchTest {
  private static final String PICKLE = "archive/data.pkl";
  private static final long[] SHAPE = {2, 3};
  private static final long[] STRIDES = {3, 1};

  @TempDir Path folder;

  /// Pickles in an archive that is sound otherwise.
  static Stream<Arguments> pickles() {
    return Stream.of(
        pickle("an empty pickle", p -> {}, "malformed pickle"),
        pickle(
            "a command",
            p -> p.global("posix", "system").text("x").raw(0x85, 'R', '.'),
            "'posix.system'"),
        pickle("builtins.eval", p -> p.global("builtins", "eval").raw('.'), "'builtins.eval'"),
        pickle(
            "an exception class",
            p -> p.global("builtins", "ValueError").raw('.'),
            "'builtins.ValueError'"),
        pickle(
            "a class that the library knows",
            p -> p.global("decimal", "Decimal").raw('.'),
            "'decimal.Decimal'"),
        pickle(
            "copy_reg._reconstructor",
            p -> p.global("copy_reg", "_reconstructor").raw('.'),
            "copy_reg"),
        pickle(
            "another function of torch",
            p -> p.global("torch._utils", "_rebuild_qtensor").raw('.'),
            "_rebuild_qtensor"),
        pickle(
            "a name with a terminal's escape",
            p -> p.global("a\u001b[2J", "b").raw('.'),
            "\\u001b"),
        pickle(
            "STACK_GLOBAL", p -> p.text("os").text("system").raw(0x93, '.'), "the operation 0x93"),
        pickle("INST", p -> p.raw('(', 'i', 'o', 's', '\n', 'x', '\n', '.'), "the operation 0x69"),
        pickle("OBJ", p -> p.raw('(', 'o', '.'), "the operation 0x6f"),
        pickle(
            "NEWOBJ",
            p -> p.global("collections", "OrderedDict").raw(')', 0x81, '.'),
            "the operation 0x81"),
        pickle("EXT1", p -> p.raw(0x82, 1, '.'), "the operation 0x82"),
        pickle("LONG4 of 2 GB", p -> p.raw(0x8b, 0xff, 0xff, 0xff, 0x7f), "the operation 0x8b"),
        pickle("BINBYTES of 2 GB", p -> p.raw('B', 0xff, 0xff, 0xff, 0x7f), "the operation 0x42"),
        pickle(
            "a string of 2 GB",
            p -> p.raw('X', 0xff, 0xff, 0xff, 0x7f),
            "a string of 2147483647 bytes"),
        pickle(
            "a string of 4 GB",
            p -> p.raw('X', 0xff, 0xff, 0xff, 0xff),
            "a string of 4294967295 bytes"),
        pickle("a string that is cut", p -> p.raw('X', 4, 0, 0, 0, 'a'), "a string of 4 bytes"),
        pickle("a protocol of the future", p -> p.raw(0x80, 9, '.'), "malformed pickle"),
        pickle("an empty stack", p -> p.raw('.'), "malformed pickle"),
        pickle("a tuple without a mark", p -> p.raw('}', 't', '.'), "malformed pickle"),
        pickle("a memo that is not there", p -> p.raw('h', 7, '.'), "malformed pickle"),
        pickle("a memo that never was, by a long index", p -> p.raw('j', 0, 0, 0, 0x80), "memo"),
        pickle("a memo of nothing", p -> p.raw('q', 0), "nothing on the stack"),
        pickle("a memo of what lies below a mark", p -> p.raw('}', '(', 'q', 0), "nothing on the"),
        pickle("a memo index that is cut", p -> p.raw('}', 'r', 1, 0, 0), "ends within"),
        pickle(
            "a memo index of 4 billion",
            p -> p.raw('}', 'r', 0xff, 0xff, 0xff, 0xff, 'j', 0xff, 0xff, 0xff, 0xfe, '.'),
            "no number 4278190079 in the memo"),
        pickle("one item for a dictionary", p -> p.raw('}').text("a").raw('s', '.'), "nothing on"),
        pickle("a pair where one is there", p -> p.number(1).raw(0x86, '.'), "too little"),
        pickle("a triple across a mark", p -> p.raw('}', '}', '(', '}', 0x87, '.'), "too little"),
        pickle("a stop below a mark", p -> p.raw('}', '(', '.'), "nothing on the stack"),
        pickle("items without a dictionary", p -> p.raw('(', 'u', '.'), "nothing on the stack"),
        pickle("items for a tuple", p -> p.raw(')', '(', 'u', '.'), "items for a tuple"),
        pickle("a state and nothing to have it", p -> p.raw('}', 'b', '.'), "nothing on the stack"),
        pickle("a call and no arguments", p -> p.raw(')', 'R', '.'), "nothing on the stack"),
        pickle("an id of nothing", p -> p.raw('Q', '.'), "nothing on the stack"),
        pickle("a hundred thousand marks", p -> repeat(p, 100_000, '('), "without a stop"),
        pickle(
            "tuples in tuples in tuples",
            p -> repeat(p.raw(')'), 1_000_000, 0x85).raw('.'),
            "a tuple, expected a dictionary"),
        pickle(
            "tuples in tuples as a key",
            p -> repeat(p.raw('}', ')'), 1_000_000, 0x85).number(1).raw('s', '.'),
            "a tuple as a key"),
        pickle("millions of dictionaries", p -> repeat(p, 3_000_000, '}').raw('.'), "operations"),
        pickle("millions of marks", p -> repeat(p, 3_000_000, '(').raw('.'), "operations"),
        pickle("millions of memos", p -> repeat(p.raw('}'), 2_500_000, 'q', 0), "operations"),
        pickle("no protocol number", p -> p.raw(0x80), "without a stop"),
        pickle("BININT that is cut", p -> p.raw('J', 1, 2, 3), "ends within"),
        pickle("BININT1 that is cut", p -> p.raw('K'), "ends within"),
        pickle("BININT2 that is cut", p -> p.raw('M', 1), "ends within"),
        pickle("LONG1 that is cut", p -> p.raw(0x8a, 8, 1, 2, 3, '.'), "ends within"),
        pickle("LONG1 without a length", p -> p.raw(0x8a), "without a stop"),
        pickle(
            "LONG1 of 255 bytes", p -> repeat(p.raw(0x8a, 255), 255, 1).raw('.'), "of 255 bytes"),
        pickle("a string's length that is cut", p -> p.raw('X', 1, 0), "ends within"),
        pickle("a string that is no UTF-8", p -> p.raw('X', 2, 0, 0, 0, 0xc3, 0x28), "no UTF-8"),
        pickle("a name that is cut", p -> p.raw('c', 'o', 's'), "ends within a name"),
        pickle("half a name", p -> p.raw('c', 'o', 's', '\n', 'x'), "ends within a name"),
        pickle("a name that is no UTF-8", p -> p.raw('c', 0xff, '\n', 'x', '\n'), "no UTF-8"),
        pickle(
            "a name without an end",
            p -> repeat(p.raw('c'), 1_000_000, 'a').raw('\n'),
            "a name of more than 256 bytes"),
        pickle(
            "an ordered dictionary of pairs",
            p -> p.global("collections", "OrderedDict").raw(')', 0x85, 'R', '.'),
            "arguments of OrderedDict"),
        pickle(
            "a parameter of a number",
            p ->
                p.global("torch._utils", "_rebuild_parameter")
                    .raw('(')
                    .number(1)
                    .raw(0x89, ')', 't', 'R', '.'),
            "arguments of _rebuild_parameter"),
        pickle(
            "a call of a function that is not the first",
            p -> p.global("collections", "OrderedDict").raw('(', 't', 't', 'R', '.'),
            "no mark"),
        pickle(
            "a shape of a thousand dimensions",
            p -> tensor(p, "FloatStorage", "0", 6, 0, new long[1000], STRIDES),
            "1000 dimensions"),
        pickle(
            "a shape that is a number",
            p ->
                p.global("torch._utils", "_rebuild_tensor_v2")
                    .raw('(', '(')
                    .text("storage")
                    .global("torch", "FloatStorage")
                    .text("0")
                    .text("cpu")
                    .number(6)
                    .raw('t', 'Q')
                    .number(0)
                    .number(6)
                    .number(1)
                    .raw(0x89, ')', 't', 'R', '.'),
            "a shape that is no tuple"),
        pickle("an end without STOP", p -> p.raw('}'), "malformed pickle"),
        pickle("bytes behind STOP", p -> p.raw('}', '.', 0), "1 bytes behind the pickle"),
        pickle("a number", p -> p.number(5).raw('.'), "the number 5, expected a dictionary"),
        pickle("a call of a number", p -> p.number(5).raw(')', 'R', '.'), "malformed pickle"),
        pickle(
            "a call of a storage type",
            p -> p.global("torch", "FloatStorage").raw(')', 'R', '.'),
            "malformed pickle"),
        pickle(
            "arguments that are no tuple",
            p -> p.global("collections", "OrderedDict").number(1).raw('R', '.'),
            "malformed pickle"),
        pickle(
            "a rebuild without arguments",
            p -> p.global("torch._utils", "_rebuild_tensor_v2").raw(')', 'R', '.'),
            "malformed pickle"),
        pickle(
            "a state for a number",
            p -> p.number(5).raw('}', 'b', '.'),
            "_metadata of a dictionary"),
        pickle(
            "a foreign state",
            p -> p.raw('}', '}').text("a").number(1).raw('s', 'b', '.'),
            "_metadata of a dictionary"),
        pickle(
            "a key that is a number",
            p -> p.raw('}').number(1).number(2).raw('s', '.'),
            "the number 1 as a key"),
        pickle(
            "a dictionary as its own key",
            p -> p.raw('}').memo(0).raw('h', 0).number(1).raw('s', '.'),
            "a dictionary as a key"),
        pickle(
            "a key without a value",
            p -> p.begin().text("w").raw('u', '.'),
            "pairs for a dictionary"),
        pickle(
            "a value that is no tensor",
            p -> p.begin().text("w").number(3).raw('u', '.'),
            "the number 3 as 'w', expected a tensor"),
        pickle(
            "a nested dictionary",
            p -> p.begin().text("model").raw('}', 'u', '.'),
            "a dictionary as 'model'"),
        pickle(
            "a dictionary that holds itself",
            p -> p.begin().text("w").raw('h', 0, 'u', '.'),
            "a dictionary as 'w'"),
        pickle("a tensor twice", p -> w(w(p.begin())).raw('u', '.'), "the key 'w' twice"),
        pickle(
            "a persistent id of another kind",
            p -> p.text("x").raw('Q', '.'),
            "a persistent id of another kind"),
        pickle(
            "a storage that is not there",
            p -> tensor(p, "FloatStorage", "7", 6, 0, SHAPE, STRIDES),
            "no storage '7'"),
        pickle(
            "a key that climbs",
            p -> tensor(p, "FloatStorage", "../0", 6, 0, SHAPE, STRIDES),
            "no storage '../0'"),
        pickle(
            "a storage of another size",
            p -> tensor(p, "FloatStorage", "0", 7, 0, SHAPE, STRIDES),
            "expected 7 elements of F32"),
        pickle(
            "a storage of another type",
            p -> tensor(p, "HalfStorage", "0", 6, 0, SHAPE, STRIDES),
            "expected 6 elements of F16"),
        pickle(
            "a storage size that overflows",
            p -> tensor(p, "FloatStorage", "0", Long.MAX_VALUE, 0, SHAPE, STRIDES),
            "elements of F32"),
        pickle(
            "a negative storage size",
            p -> tensor(p, "FloatStorage", "0", -6, 0, SHAPE, STRIDES),
            "malformed pickle"),
        pickle(
            "a negative offset",
            p -> tensor(p, "FloatStorage", "0", 6, -1, SHAPE, STRIDES),
            "malformed pickle"),
        pickle(
            "an offset past the storage",
            p -> tensor(p, "FloatStorage", "0", 6, 1, SHAPE, STRIDES),
            "within the storage's 6"),
        pickle(
            "a view larger than its storage",
            p -> tensor(p, "FloatStorage", "0", 6, 0, new long[] {3, 3}, STRIDES),
            "within the storage's 6"),
        pickle(
            "a shape that overflows",
            p -> tensor(p, "FloatStorage", "0", 6, 0, new long[] {1L << 62, 4}, STRIDES),
            "below 2^63"),
        pickle(
            "a dimension of 0",
            p -> tensor(p, "FloatStorage", "0", 6, 0, new long[] {0, 3}, STRIDES),
            "dimensions of at least 1"),
        pickle(
            "a negative dimension",
            p -> tensor(p, "FloatStorage", "0", 6, 0, new long[] {-2, 3}, STRIDES),
            "malformed pickle"),
        pickle(
            "too few strides",
            p -> tensor(p, "FloatStorage", "0", 6, 0, SHAPE, new long[] {1}),
            "a contiguous tensor"),
        pickle(
            "a transposed view",
            p -> tensor(p, "FloatStorage", "0", 6, 0, SHAPE, new long[] {1, 2}),
            "a contiguous tensor"),
        pickle(
            "a view that repeats a row",
            p -> tensor(p, "FloatStorage", "0", 6, 0, SHAPE, new long[] {0, 1}),
            "a contiguous tensor"));
  }

  /// Archives around a sound pickle.
  static Stream<Arguments> archives() {
    return Stream.of(
        archive("an empty file", _ -> new byte[0], "no end record"),
        archive(
            "an old pickle without an archive",
            _ -> new TorchBytes().begin().end(),
            "no end record"),
        archive("a cut file", b -> Arrays.copyOf(b, b.length - 1), "no end record"),
        archive("a lost beginning", b -> Arrays.copyOfRange(b, 10, b.length), "expected it"),
        archive(
            "a directory past the end",
            b -> put32(b, end(b) + 16, 1 << 30),
            "before the end record"),
        archive("a directory of 4 GB", b -> put32(b, end(b) + 12, -1), "a directory of"),
        archive("too many entries", b -> put16(b, end(b) + 10, 60000), "a directory of 60000"),
        archive(
            "too few entries", b -> put16(b, end(b) + 10, 1), "behind the directory's last record"),
        archive("a record of another kind", b -> put32(b, record(b), 7), "no record no. 1"),
        archive(
            "a name past the directory",
            b -> put16(b, record(b) + 28, 60000),
            "passes the directory's end"),
        archive("an encrypted entry", b -> put16(b, record(b) + 8, 1), "encrypted"),
        archive("a method", b -> put16(b, record(b) + 10, 8), "compression method 8"),
        archive("two sizes", b -> put32(b, record(b) + 20, 5), "stored as 5"),
        archive(
            "an entry past the end",
            b -> put32(put32(b, record(b) + 20, 1 << 20), record(b) + 24, 1 << 20),
            "before the directory"),
        archive(
            "a header past the end",
            b -> put32(b, record(b) + 42, 1 << 20),
            "an entry at byte 1048576"),
        archive(
            "overlapping entries", b -> put32(b, record(b) + 42, 4), "no header of stored data"),
        archive("a header of another kind", b -> put32(b, 0, 7), "no header of stored data"),
        archive(
            "another name in the header", b -> put16(b, 30, 0x5a5a), "another name in its header"),
        archive(
            "a zip64 size without a number",
            b -> put32(put32(b, record(b) + 20, -1), record(b) + 24, -1),
            "4294967295 bytes"),
        archive("a damaged pickle", b -> put16(b, 30 + PICKLE.length() + 5, 0x4141), "CRC-32"),
        entries("an entry that is compressed", HostileTorchTest::deflated, "compression method 8"),
        entries("no pickle", e -> rezip(e, m -> m.remove(PICKLE)), "0 entries named data.pkl"),
        entries(
            "two pickles",
            e -> rezip(e, m -> m.put("b/data.pkl", new byte[1])),
            "2 entries named data.pkl"),
        entries(
            "big-endian numbers",
            e -> rezip(e, m -> m.put("archive/byteorder", "big".getBytes())),
            "byteorder 'big'"),
        entries("a lost storage", e -> rezip(e, m -> m.remove("archive/data/0")), "no storage '0'"),
        entries(
            "a cut storage",
            e -> rezip(e, m -> m.put("archive/data/0", new byte[20])),
            "a storage of 20 bytes"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pickles")
  void pickleIsRefusedInOneLine(String name, Consumer<TorchBytes> program, String part)
      throws IOException {
    TorchBytes pickle = new TorchBytes();
    program.accept(pickle);
    Map<String, byte[]> entries = TorchBytes.sound();
    entries.put(PICKLE, pickle.bytes());
    refused(TorchBytes.zip(entries), part);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("archives")
  void archiveIsRefusedInOneLine(String name, UnaryOperator<byte[]> damage, String part)
      throws IOException {
    refused(damage.apply(TorchBytes.zip(TorchBytes.sound())), part);
  }

  /// Whatever bytes change, the answer is a table that fits the file, or one line.
  @Test
  void randomDamageIsRefusedOrHarmless() throws IOException {
    long seed = 20261122;
    Random random = new Random(seed);
    byte[] sound = TorchBytes.zip(TorchBytes.sound());
    Path file = folder.resolve("consolidated.00.pth");
    int accepted = 0;
    for (int n = 0; n < 3000; n++) {
      byte[] damaged = sound.clone();
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, damaged);
      try (TensorStore store = TensorStore.open(ModelFolder.open(folder))) {
        for (StoredTensor tensor : store.tensors().values()) {
          assertTrue(tensor.offset() >= 0, "seed " + seed + ", " + n);
          assertTrue(tensor.offset() + tensor.byteSize() <= damaged.length, "seed " + seed);
        }
        accepted++;
      } catch (CheckpointException e) {
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      }
    }
    assertTrue(accepted < 1500, accepted + " accepted"); // the data and times may be anything
  }

  /// Programs of operations that are allowed, in any order: an answer or one line, and never
  /// another exception.
  @Test
  void randomProgramsEndInOneLine() {
    long seed = 20261129;
    Random random = new Random(seed);
    int[] operations = {
      0x80, '(', 'N', 0x88, 0x89, 'J', 'K', 'M', 0x8a, 'X', ')', 0x85, 0x86, 0x87, 't', '}', 's',
      'u', 'b', 'q', 'r', 'h', 'j', 'c', 'R', 'Q', '.'
    };
    int finished = 0;
    for (int n = 0; n < 100_000; n++) {
      TorchBytes p = new TorchBytes();
      for (int i = random.nextInt(1, 40); i > 0; i--) {
        switch (random.nextInt(4)) {
          case 0 -> p.raw(random.nextInt(3)); // operands, mostly
          case 1 -> p.text(random.nextBoolean() ? "storage" : "a");
          case 2 -> p.global("collections", "OrderedDict");
          default -> p.raw(operations[random.nextInt(operations.length)]);
        }
      }
      try {
        TensorUnpickler.read("seed " + seed + ", " + n, p.raw('.').bytes());
        finished++;
      } catch (CheckpointException e) {
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      }
    }
    assertTrue(finished > 0, "no program had an answer");
  }

  @Test
  void theSoundFileIsRead() throws IOException {
    Files.write(folder.resolve("consolidated.00.pth"), TorchBytes.zip(TorchBytes.sound()));
    try (TensorStore store = TensorStore.open(ModelFolder.open(folder))) {
      StoredTensor w = store.tensors().get("w");
      assertEquals(List.of(2L, 3L), w.shape());
      assertEquals(DType.F32, w.type());
      assertEquals(24, w.byteSize());
    }
  }

  /// Two views of one storage, a parameter, an ordered dictionary with the state that modules
  /// leave, a number of eight bytes, a stride that means nothing.
  @Test
  void everythingThatTorchWritesIsRead() throws IOException {
    TorchBytes pickle = new TorchBytes().raw(0x80, 2);
    pickle.global("collections", "OrderedDict").raw(')', 'R', '(').text("a");
    pickle.tensor("FloatStorage", "0", 6, 1, new long[] {1, 5}, new long[] {77, 1});
    pickle.text("b").global("torch._utils", "_rebuild_parameter").raw('(');
    pickle.tensor("FloatStorage", "0", 6, 0, new long[0], new long[0]);
    pickle.raw(0x88).global("collections", "OrderedDict").raw(')', 'R', 't', 'R', 'u');
    pickle.raw('}').text("_metadata").raw('}', 's', 'b', '.');
    Map<String, byte[]> entries = TorchBytes.sound();
    entries.put(PICKLE, pickle.bytes());
    byte[] file = TorchBytes.zip(entries);
    Files.write(folder.resolve("consolidated.00.pth"), file);
    try (TensorStore store = TensorStore.open(ModelFolder.open(folder))) {
      StoredTensor a = store.tensors().get("a");
      StoredTensor b = store.tensors().get("b");
      assertEquals(20, a.byteSize());
      assertEquals(4, b.byteSize());
      assertEquals(4, a.offset() - b.offset());
    }
  }

  @Test
  void aModelForSeveralGpusIsRefused() throws IOException {
    Files.write(folder.resolve("consolidated.01.pth"), new byte[1]);
    refused(TorchBytes.zip(TorchBytes.sound()), "cut for several GPUs");
  }

  private void refused(byte[] file, String part) throws IOException {
    Files.write(folder.resolve("consolidated.00.pth"), file);
    CheckpointException refused =
        assertThrows(
            CheckpointException.class, () -> TensorStore.open(ModelFolder.open(folder)).close());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    assertTrue(refused.getMessage().chars().noneMatch(c -> c < ' '), refused.getMessage());
  }

  private static TorchBytes repeat(TorchBytes p, int times, int... bytes) {
    for (int i = 0; i < times; i++) {
      p.raw(bytes);
    }
    return p;
  }

  private static Arguments pickle(String name, Consumer<TorchBytes> program, String part) {
    return Arguments.of(name, program, part);
  }

  private static Arguments archive(String name, UnaryOperator<byte[]> damage, String part) {
    return Arguments.of(name, damage, part);
  }

  /// What is done with the entries of the sound file.
  private interface Rezip {
    byte[] apply(Map<String, byte[]> entries) throws IOException;
  }

  private static Arguments entries(String name, Rezip rezip, String part) {
    UnaryOperator<byte[]> damage =
        _ -> {
          try {
            return rezip.apply(TorchBytes.sound());
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        };
    return Arguments.of(name, damage, part);
  }

  private static byte[] rezip(Map<String, byte[]> entries, Consumer<Map<String, byte[]>> change)
      throws IOException {
    Map<String, byte[]> changed = new LinkedHashMap<>(entries);
    change.accept(changed);
    return TorchBytes.zip(changed);
  }

  private static byte[] deflated(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(e.getKey()));
        zip.write(e.getValue());
      }
    }
    return bytes.toByteArray();
  }

  private static TorchBytes w(TorchBytes p) {
    return p.text("w").tensor("FloatStorage", "0", 6, 0, SHAPE, STRIDES);
  }

  private static void tensor(
      TorchBytes p, String type, String key, long n, long offset, long[] shape, long[] strides) {
    p.begin().text("w").tensor(type, key, n, offset, shape, strides).end();
  }

  private static int end(byte[] archive) {
    return archive.length - 22; // no comment
  }

  /// The directory's first record.
  private static int record(byte[] archive) {
    return ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN).getInt(end(archive) + 16);
  }

  private static byte[] put32(byte[] archive, int at, int value) {
    ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    return archive;
  }

  private static byte[] put16(byte[] archive, int at, int value) {
    ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN).putShort(at, (short) value);
    return archive;
  }
}
