package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/// Reads the pickle of a state dictionary (`data.pkl` of `torch.save`): names to tensors, and
/// nothing else. A pickle is a program; this one may use the operations that such a dictionary
/// needs and the names of [#GLOBALS], and what it builds are maps, tuples, numbers, strings, and
/// the records below. The library's own constructors are never reached.
final class TensorUnpickler extends Unpickler {
  /// A storage: one zip entry of numbers.
  record Storage(DType type, String key, long elements) {}

  /// A view of a storage. Offsets and strides count elements.
  record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

  private record StorageType(DType type) {}

  /// What `BUILD` may set on an ordered dictionary: the versions of modules, which nobody reads.
  private static final String METADATA = "_metadata";

  private static final Map<String, Object> GLOBALS =
      Map.ofEntries(
          Map.entry("collections OrderedDict", constructor(_ -> new LinkedHashMap<>())),
          Map.entry("torch._utils _rebuild_tensor_v2", constructor(TensorUnpickler::view)),
          Map.entry("torch._utils _rebuild_parameter", constructor(args -> args[0])),
          Map.entry("torch DoubleStorage", new StorageType(DType.F64)),
          Map.entry("torch FloatStorage", new StorageType(DType.F32)),
          Map.entry("torch HalfStorage", new StorageType(DType.F16)),
          Map.entry("torch BFloat16Storage", new StorageType(DType.BF16)),
          Map.entry("torch LongStorage", new StorageType(DType.I64)),
          Map.entry("torch IntStorage", new StorageType(DType.I32)),
          Map.entry("torch ShortStorage", new StorageType(DType.I16)),
          Map.entry("torch CharStorage", new StorageType(DType.I8)),
          Map.entry("torch ByteStorage", new StorageType(DType.U8)),
          Map.entry("torch BoolStorage", new StorageType(DType.BOOL)));

  private final String file;
  private final Bytes bytes;

  private TensorUnpickler(String file, byte[] pickle) {
    this.file = file;
    this.bytes = new Bytes(pickle);
  }

  /// A stream that knows where it is.
  private static final class Bytes extends ByteArrayInputStream {
    private Bytes(byte[] bytes) {
      super(bytes);
    }

    private int position() {
      return pos;
    }

    /// The unsigned 32-bit number that comes next, or more than there is.
    private long nextU32() {
      long value = Integer.MAX_VALUE;
      if (available() >= 4) {
        value = 0;
        for (int i = 3; i >= 0; i--) {
          value = value << 8 | buf[pos + i] & 0xff;
        }
      }
      return value;
    }
  }

  /// Reads a state dictionary.
  ///
  /// @param file what messages call the pickle
  static Map<String, View> read(String file, byte[] pickle) {
    TensorUnpickler unpickler = new TensorUnpickler(file, pickle);
    Object result;
    try {
      result = unpickler.load(unpickler.bytes);
    } catch (CheckpointException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The library meets a wrong program with whatever exception comes up first: an empty stack, a
      // cast, a number that is none.
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: byte %d: a malformed pickle (%s), expected a state dictionary: the file is damaged",
              file,
              unpickler.bytes.position(),
              Printable.escaped(String.valueOf(e.getMessage()))),
          e);
    }
    if (unpickler.bytes.available() > 0) {
      throw unpickler.fail(unpickler.bytes.available() + " bytes behind the pickle", "none");
    }
    return unpickler.views(result);
  }

  private Map<String, View> views(Object result) {
    if (!(result instanceof Map<?, ?> map)) {
      throw fail(shown(result), "a dictionary of tensors");
    }
    Map<String, View> views = new LinkedHashMap<>();
    map.forEach((name, value) -> {
      if (!(value instanceof View view)) {
        throw fail(
            String.format(Locale.ROOT, "%s as %s", shown(value), Printable.quoted((String) name)),
            "a tensor");
      }
      views.put((String) name, view); // dictionaries have no other keys
    });
    return views;
  }

  /// The operations that `torch.save` uses, and of those all lengths are checked here.
  @Override
  protected Object dispatch(short key) throws IOException {
    switch (key) {
      case Opcodes.GLOBAL -> global();
      case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<>()); // keeps the file's order
      case Opcodes.BUILD -> build();
      case Opcodes.SETITEM -> {
        Object value = stack.pop();
        setItems(List.of(stack.pop(), value));
      }
      case Opcodes.SETITEMS -> setItems(stack.pop_all_since_marker());
      case Opcodes.BINUNICODE -> {
        if (bytes.nextU32() > bytes.available() - 4) {
          throw fail(
              String.format(Locale.ROOT, "a string of %d bytes", bytes.nextU32()),
              "it within the pickle");
        }
        return super.dispatch(key);
      }
      case Opcodes.PROTO,
          Opcodes.STOP,
          Opcodes.MARK,
          Opcodes.NONE,
          Opcodes.NEWTRUE,
          Opcodes.NEWFALSE,
          Opcodes.BININT,
          Opcodes.BININT1,
          Opcodes.BININT2,
          Opcodes.LONG1,
          Opcodes.EMPTY_TUPLE,
          Opcodes.TUPLE,
          Opcodes.TUPLE1,
          Opcodes.TUPLE2,
          Opcodes.TUPLE3,
          Opcodes.BINPUT,
          Opcodes.LONG_BINPUT,
          Opcodes.BINGET,
          Opcodes.LONG_BINGET,
          Opcodes.BINPERSID,
          Opcodes.REDUCE -> {
        return super.dispatch(key);
      }
      default ->
          throw fail(
              String.format(Locale.ROOT, "the operation 0x%02x", key & 0xff),
              "those that a state dictionary needs: files that do more are refused");
    }
    return NO_RETURN_VALUE;
  }

  private void global() throws IOException {
    String name = PickleUtils.readline(input) + " " + PickleUtils.readline(input);
    Object global = GLOBALS.get(name);
    if (global == null) {
      throw fail(
          "the name " + Printable.quoted(name.replace(' ', '.')),
          "those of tensors and dictionaries: files that name anything else are refused");
    }
    stack.add(global);
  }

  /// Python's `__setstate__`, of which a state dictionary has one harmless use.
  private void build() {
    Object state = stack.pop();
    if (!(stack.peek() instanceof Map)
        || !(state instanceof Map<?, ?> map)
        || !map.keySet().stream().allMatch(METADATA::equals)) {
      throw fail("a state for " + shown(stack.peek()), METADATA + " of a dictionary");
    }
  }

  private void setItems(List<Object> items) {
    if (items.size() % 2 != 0 || !(stack.peek() instanceof Map<?, ?> any)) {
      throw fail("items for " + shown(stack.peek()), "pairs for a dictionary");
    }
    @SuppressWarnings("unchecked") // made by EMPTY_DICT or OrderedDict, filled here only
    Map<Object, Object> map = (Map<Object, Object>) any;
    for (int i = 0; i < items.size(); i += 2) {
      // Strings only: the hash of another key could run into itself for ever.
      if (!(items.get(i) instanceof String key)) {
        throw fail(String.format(Locale.ROOT, "%s as a key", shown(items.get(i))), "a string");
      }
      if (map.putIfAbsent(key, items.get(i + 1)) != null) {
        throw fail(
            String.format(Locale.ROOT, "the key %s twice", Printable.quoted(key)), "each key once");
      }
    }
  }

  /// `("storage", type, key, device, elements)`
  @Override
  protected Object persistentLoad(Object id) {
    if (id instanceof Object[] parts
        && parts.length == 5
        && "storage".equals(parts[0])
        && parts[1] instanceof StorageType type
        && parts[2] instanceof String key) {
      return new Storage(type.type(), key, count(parts[4]));
    }
    throw fail("a persistent id of another kind", "('storage', type, key, device, elements)");
  }

  /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])`
  private static Object view(Object[] args) {
    if (args.length < 6
        || args.length > 7
        || !(args[0] instanceof Storage storage)
        || args.length == 7 && args[6] != null) {
      throw new IllegalArgumentException("arguments of _rebuild_tensor_v2");
    }
    return new View(storage, count(args[1]), counts(args[2]), counts(args[3]));
  }

  private static List<Long> counts(Object tuple) {
    List<Long> counts = new ArrayList<>();
    for (Object number : (Object[]) tuple) {
      counts.add(count(number));
    }
    return counts;
  }

  private static long count(Object number) {
    if (!(number instanceof Integer || number instanceof Long)
        || ((Number) number).longValue() < 0) {
      throw new IllegalArgumentException("a size that is no count");
    }
    return ((Number) number).longValue();
  }

  private static Object constructor(IObjectConstructor constructor) {
    return constructor;
  }

  private static String shown(Object value) {
    return switch (value) {
      case null -> "nothing";
      case String s -> Printable.quoted(s);
      case Map<?, ?> _ -> "a dictionary";
      case View _ -> "a tensor";
      case Object[] _ -> "a tuple";
      default -> "a " + value.getClass().getSimpleName();
    };
  }

  private CheckpointException fail(String actual, String expected) {
    return new CheckpointException(
        String.format(
            Locale.ROOT, "%s: byte %d: %s, expected %s", file, bytes.position(), actual, expected));
  }
}
