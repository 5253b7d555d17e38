package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Reads the pickle of a state dictionary (`data.pkl` of `torch.save`): names to tensors, and
/// nothing else. A pickle is a program, which [PickleMachine] runs; this one may use the names of
/// [#GLOBALS] and no others.
final class TensorUnpickler implements PickleMachine.Names {
  /// A storage: one zip entry of numbers.
  record Storage(DType type, String key, long elements) {}

  /// A view of a storage. Offsets and strides count elements.
  record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

  private record StorageType(DType type) {}

  private static final Map<String, Object> GLOBALS =
      Map.ofEntries(
          Map.entry("collections OrderedDict", callable(TensorUnpickler::dictionary)),
          Map.entry("torch._utils _rebuild_tensor_v2", callable(TensorUnpickler::view)),
          Map.entry("torch._utils _rebuild_parameter", callable(TensorUnpickler::parameter)),
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

  private TensorUnpickler() {}

  /// Reads a state dictionary.
  ///
  /// @param file what messages call the pickle
  static Map<String, View> read(String file, byte[] pickle) {
    Object result = PickleMachine.run(file, pickle, new TensorUnpickler());
    if (!(result instanceof Map<?, ?> map)) {
      throw fail(file, shown(result), "a dictionary of tensors");
    }
    Map<String, View> views = new LinkedHashMap<>();
    map.forEach((name, value) -> {
      if (!(value instanceof View view)) {
        throw fail(
            file,
            String.format(Locale.ROOT, "%s as %s", shown(value), Printable.quoted((String) name)),
            "a tensor");
      }
      views.put((String) name, view); // dictionaries have no other keys
    });
    return views;
  }

  @Override
  public Object global(String name) {
    return GLOBALS.get(name);
  }

  /// `("storage", type, key, device, elements)`
  @Override
  public Object persistent(Object id) {
    if (id instanceof Object[] parts
        && parts.length == 5
        && "storage".equals(parts[0])
        && parts[1] instanceof StorageType type
        && parts[2] instanceof String key) {
      return new Storage(type.type(), key, count(parts[4]));
    }
    throw new IllegalArgumentException(
        "a persistent id of another kind than ('storage', type, key, device, elements)");
  }

  private static Object dictionary(Object[] args) {
    if (args.length > 0) { // only old protocols fill it so
      throw new IllegalArgumentException("arguments of OrderedDict");
    }
    return new LinkedHashMap<String, Object>();
  }

  /// `_rebuild_parameter(data, requires_grad, hooks)`
  private static Object parameter(Object[] args) {
    if (args.length != 3 || !(args[0] instanceof View)) {
      throw new IllegalArgumentException("arguments of _rebuild_parameter");
    }
    return args[0];
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
    if (!(tuple instanceof Object[] numbers)) {
      throw new IllegalArgumentException("a shape that is no tuple");
    }
    if (numbers.length > StoredTensor.MAX_DIMS) { // before it is copied, once for each tensor
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d dimensions, expected at most %d",
              numbers.length,
              StoredTensor.MAX_DIMS));
    }
    List<Long> counts = new ArrayList<>();
    for (Object number : numbers) {
      counts.add(count(number));
    }
    return counts;
  }

  private static long count(Object number) {
    if (!(number instanceof Long n) || n < 0) {
      throw new IllegalArgumentException("a size that is no count");
    }
    return n;
  }

  private static Object callable(PickleMachine.Callable callable) {
    return callable;
  }

  private static String shown(Object value) {
    return value instanceof View ? "a tensor" : PickleMachine.shown(value);
  }

  private static CheckpointException fail(String file, String actual, String expected) {
    return new CheckpointException(
        String.format(Locale.ROOT, "%s: %s, expected %s", file, actual, expected));
  }
}
