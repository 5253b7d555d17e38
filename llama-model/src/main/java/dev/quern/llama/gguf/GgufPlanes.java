package dev.quern.llama.gguf;

import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import dev.quern.llama.text.Printable;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Weights whose scales lie in a plane of their own (INT4_Bg and INT8_C), which ggml has no type
/// for: GGUF holds them as two tensors, so that other readers can at least list them.
///
/// ```
/// metadata   quern.planes.version   u32   1
/// INT4_Bg    X          I8    [inputs / 2, outputs]   nibbles, as SPEC.md's data plane
///            X.scales   BF16  [inputs / g, outputs]
/// INT8_C     X          I8    [inputs, outputs]
///            X.scales   F32   [outputs]
/// ```
///
/// The format follows from the types and shapes; there is nothing that could contradict them.
final class GgufPlanes {
  static final String KEY = "quern.planes.version";
  static final int VERSION = 1;
  static final GgmlType DATA = GgmlType.of(24); // I8

  private GgufPlanes() {}

  /// The tensors with each data plane replaced by the weights that it and its scales make. In a
  /// file without the key, and without a plane of scales, that is what is given.
  ///
  /// @param tensors by name
  /// @throws GgufException where planes don't go together
  static Map<String, GgufTensor> joined(GgufFile file, Map<String, GgufTensor> tensors) {
    OptionalLong version = file.metadata().integer(KEY);
    if (version.isEmpty()) {
      return tensors;
    }
    if (version.getAsLong() != VERSION) {
      throw file.metadata()
          .fail(
              KEY,
              Long.toString(version.getAsLong()),
              VERSION + ": the file is newer than this reader, or damaged");
    }
    Map<String, GgufTensor> joined = new LinkedHashMap<>(tensors);
    for (GgufTensor scales : tensors.values()) {
      if (scales.name().endsWith(GgufWriter.SCALES)) {
        String name =
            scales.name().substring(0, scales.name().length() - GgufWriter.SCALES.length());
        GgufTensor data = tensors.get(name);
        if (data == null) {
          throw file.fail(
              scales, "no tensor " + Printable.quoted(name), "the weights of these scales");
        }
        joined.put(name, join(file, data, scales));
      }
    }
    return joined;
  }

  private static GgufTensor join(GgufFile file, GgufTensor data, GgufTensor scales) {
    long[] d = data.dims();
    if (!data.type().equals(DATA) || d.length != 2) {
      throw file.fail(data, "its type or shape", "I8 of two dimensions, since it has scales");
    }
    BlockFormat format =
        format(d, scales)
            .orElseThrow(() ->
                file.fail(
                    scales,
                    "its type or shape",
                    String.format(
                        Locale.ROOT,
                        "one BF16 for 32, 64, 128 or 256 weights, or one F32 for a row, of the weights %s",
                        data)));
    long inputs = d[0] / format.blockBytes() * format.blockElements();
    GgmlType type =
        new GgmlType(DATA.id(), format.id(), format.blockElements(), format.blockBytes());
    return new GgufTensor(
        data.name(), type, new long[] {inputs, d[1]}, data.shard(), data.offset(), data.byteSize());
  }

  /// The standard format with scales of that type and number for a data plane of `d` bytes.
  private static Optional<BlockFormat> format(long[] d, GgufTensor scales) {
    return BlockFormat.standard().stream()
        .filter(f -> f.scalePlane().type().equals(scales.type().name()))
        .filter(f -> d[0] % f.blockBytes() == 0)
        .filter(f -> Arrays.equals(scaleDims(f, d[0] / f.blockBytes(), d[1]), scales.dims()))
        .findFirst();
  }

  /// The shape of a plane of scales.
  ///
  /// @param blocks of a row
  static long[] scaleDims(BlockFormat format, long blocks, long outputs) {
    return format.scalePlane().perBlock() ? new long[] {blocks, outputs} : new long[] {outputs};
  }

  /// The tensor type of a plane of scales.
  static GgmlType scaleType(ScalePlane plane) {
    return GgmlType.of(BlockFormat.byId(plane.type()).orElseThrow());
  }
}
