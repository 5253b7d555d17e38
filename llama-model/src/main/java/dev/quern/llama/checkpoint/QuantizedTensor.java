package dev.quern.llama.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.bytes.LittleEndian;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A matrix as the pre-quantized Llama 3.2 checkpoints have it (ExecuTorch,
/// `examples/models/llama/source_transformation/pre_quantization.py`):
///
/// ```
/// linears of the blocks   .weight  int8 [out, in], values -8 .. 7     .scales  float [out, in / g]
/// output, embedding       .weight  int8 [out, in]                     .scales  float [out] or [out, 1]
/// each, perhaps           .zeros   0: both schemes are symmetric
/// ```
///
/// The first becomes INT4_Bg, whose scales are BF16, rounded to nearest even (ExecuTorch's XNNPACK
/// computes with the same); g follows from the shapes. The second is INT8_C as it is.
///
/// @param weight `[out, in]`
/// @param perOutput true: int8 with a scale per output; false: int4 with a scale per group
record QuantizedTensor(
    TensorStore store,
    StoredTensor weight,
    StoredTensor scales,
    Optional<StoredTensor> zeros,
    boolean perOutput) {
  private static final List<BlockFormat> INT4 =
      List.of(
          BlockFormat.INT4_B32, BlockFormat.INT4_B64, BlockFormat.INT4_B128, BlockFormat.INT4_B256);

  QuantizedTensor {
    if (weight.type() != DType.I8 || weight.shape().size() != 2) {
      throw fail(store, weight, weight.toString(), "I8 of two dimensions, since it has scales");
    }
    if (weight.shape().stream().anyMatch(dim -> dim > Integer.MAX_VALUE)) {
      throw fail(store, weight, weight.toString(), "dimensions below 2^31");
    }
    if (!Elements.isFloat(scales.type())) {
      throw fail(store, scales, scales.toString(), "F32, BF16 or F16");
    }
  }

  /// The format that kernels get.
  BlockFormat format() {
    long outputs = weight.shape().get(0);
    long inputs = weight.shape().get(1);
    long groups = scales.byteSize() / scales.type().bytes() / outputs; // of a row
    List<Long> shape = scales.shape();
    boolean rows = !shape.isEmpty() && shape.size() <= 2 && shape.getFirst() == outputs;
    if (perOutput) {
      if (!rows || groups != 1) {
        throw fail(
            store,
            scales,
            scales.toString(),
            String.format(Locale.ROOT, "one scale for each of %d rows", outputs));
      }
      return BlockFormat.INT8_C;
    }
    return INT4.stream()
        .filter(f -> rows && groups * f.blockElements() == inputs)
        .findFirst()
        .orElseThrow(() ->
            fail(
                store,
                scales,
                scales.toString(),
                String.format(
                    Locale.ROOT, "[%d, %d / g] with g one of 32, 64, 128, 256", outputs, inputs)));
  }

  /// Bytes of both planes in that format.
  long byteSize() {
    int outputs = Math.toIntExact(weight.shape().get(0));
    int inputs = Math.toIntExact(weight.shape().get(1));
    BlockFormat format = format();
    return outputs * format.rowBytes(inputs)
        + format.scalePlane().bytes(outputs, format.blocksPerRow(inputs));
  }

  /// Maps or converts it.
  ///
  /// @param arena of what is returned
  WeightMatrix read(RowOrder order, Arena arena, Workers workers) throws IOException {
    BlockFormat format = format();
    int outputs = Math.toIntExact(weight.shape().get(0));
    int inputs = Math.toIntExact(weight.shape().get(1));
    try (Arena source = Arena.ofShared()) {
      if (zeros.isPresent()
          && !Elements.allZero(store.map(zeros.get(), source), zeros.get().type())) {
        throw fail(store, zeros.get(), "zero points other than 0", "0: the scheme is symmetric");
      }
      MemorySegment stored = store.map(scales, source);
      if (perOutput) {
        MemorySegment data =
            order == RowOrder.AS_STORED
                ? store.map(weight, arena)
                : order.copy(store.map(weight, source), outputs, inputs, arena);
        return new WeightMatrix(
            format, data, f32Scales(stored, order, outputs, arena), outputs, inputs);
      }
      return int4(format, stored, order, source, arena, workers);
    }
  }

  private MemorySegment f32Scales(MemorySegment stored, RowOrder order, int outputs, Arena arena) {
    MemorySegment plane = arena.allocate((long) outputs * Float.BYTES, 64);
    for (int o = 0; o < outputs; o++) {
      LittleEndian.putF32(
          plane,
          (long) o * Float.BYTES,
          finite(Elements.get(stored, scales.type(), order.stored(o)), o));
    }
    return plane;
  }

  private WeightMatrix int4(
      BlockFormat format,
      MemorySegment stored,
      RowOrder order,
      Arena source,
      Arena arena,
      Workers workers)
      throws IOException {
    int outputs = Math.toIntExact(weight.shape().get(0));
    int inputs = Math.toIntExact(weight.shape().get(1));
    int groups = format.blocksPerRow(inputs);
    MemorySegment bytes = store.map(weight, source); // [outputs][inputs], a value a byte
    MemorySegment nibbles = arena.allocate((long) outputs * inputs / 2, 64);
    MemorySegment plane = arena.allocate((long) outputs * groups * Short.BYTES, 64);
    workers.run(
        outputs,
        (o, _) -> {
          long from = (long) order.stored(o) * inputs;
          long to = (long) o * inputs / 2;
          for (int j = 0; j < inputs / 2; j++) {
            int low = bytes.get(JAVA_BYTE, from + 2L * j) + 8;
            int high = bytes.get(JAVA_BYTE, from + 2L * j + 1) + 8;
            if ((low | high) >>> 4 != 0) { // either is outside 0 .. 15
              throw fail(
                  store,
                  weight,
                  String.format(Locale.ROOT, "%d and %d in row %d", low - 8, high - 8, o),
                  "-8 to 7");
            }
            nibbles.set(JAVA_BYTE, to + j, (byte) (low | high << 4));
          }
          for (int g = 0; g < groups; g++) {
            float scale = Elements.get(stored, scales.type(), (long) order.stored(o) * groups + g);
            short rounded = Bf16.fromFloat(scale);
            finite(Bf16.toFloat(rounded), o);
            LittleEndian.putI16(plane, ((long) o * groups + g) * Short.BYTES, rounded);
          }
        });
    return new WeightMatrix(format, nibbles, plane, outputs, inputs);
  }

  private float finite(float scale, int row) {
    if (!Float.isFinite(scale)) {
      throw fail(
          store,
          scales,
          String.format(Locale.ROOT, "the scale %s in row %d", scale, row),
          "finite ones");
    }
    return scale;
  }

  private static LlamaException fail(
      TensorStore store, StoredTensor tensor, String actual, String expected) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: tensor %s: %s, expected %s",
            store.fileName(tensor),
            Printable.quoted(tensor.name()),
            actual,
            expected));
  }
}
