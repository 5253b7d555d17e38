package dev.quern.llama.quantize;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;

/// Writes a quantized model: tensor by tensor, and within a tensor in strips of rows, which the
/// workers share. In memory are the strip, the scales of one tensor and a row for each worker; the
/// source is mapped, one tensor at a time. The file does not depend on the number of workers.
///
/// @since 0.1
/// @stability api
public final class ModelQuantizer {
  private static final long STRIP_BYTES = 8 << 20;

  /// ggml's version of its block formats.
  private static final int QUANTIZATION_VERSION = 2;

  private final Checkpoint source;
  private final Workers workers;
  private final LongConsumer progress;

  /// @param progress hears, on the calling thread, how many bytes of tensors are written, of
  ///   [QuantizePlan#bytes()]
  public ModelQuantizer(Checkpoint source, Workers workers, LongConsumer progress) {
    this.source = source;
    this.workers = workers;
    this.progress = progress;
  }

  /// Writes the file; an existing one is replaced when all is written.
  ///
  /// @param plan made from the same source
  /// @throws LlamaException where the plan gives no matrix the scheme's format, or where a weight
  ///   is not finite, or too large for its format
  /// @throws dev.quern.llama.error.LlamaException where the source has what GGUF has no place for
  public void write(QuantizePlan plan, Path file) throws IOException {
    try (GgufWriter writer = GgufWriter.create(file)) {
      write(plan, writer);
    }
  }

  /// [#write(QuantizePlan, Path)] to a writer that nothing was added to; finishes it.
  public void write(QuantizePlan plan, GgufWriter writer) throws IOException {
    if (!plan.applies()) {
      BlockFormat format = plan.options().scheme().format(plan.options().group());
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: no matrix can become %s, expected rows of a multiple of %d weights: choose another scheme or group",
              format,
              format.blockElements()));
    }
    source.writeMetadata(writer);
    WeightScheme scheme = plan.options().scheme();
    scheme.fileType().ifPresent(type -> writer.uint32("general.file_type", type));
    writer.uint32("general.quantization_version", QUANTIZATION_VERSION);
    writer.string("quern.quantized", plan.options().describe());
    for (QuantizePlan.Item item : plan.items()) {
      writer.tensor(item.tensor().name(), item.format(), item.dims());
    }
    long written = 0;
    for (QuantizePlan.Item item : plan.items()) {
      write(item, writer, written);
      written += item.bytes();
    }
    writer.finish();
  }

  private void write(QuantizePlan.Item item, GgufWriter writer, long written) throws IOException {
    String name = item.tensor().name();
    if (!item.tensor().isMatrix()) {
      writer.data(name, vector(item.tensor()));
      progress.accept(written + item.bytes());
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix from = source.weights(item.tensor(), arena, workers);
      if (item.kept()) {
        writer.data(name, from.data());
        progress.accept(written + item.bytes());
        return;
      }
      int outputs = from.outputs();
      int inputs = from.inputs();
      BlockFormat format = item.format();
      long rowBytes = format.rowBytes(inputs);
      long scaleBytes = format.scalePlane().bytes(outputs, format.blocksPerRow(inputs));
      MemorySegment scales = scaleBytes == 0 ? MemorySegment.NULL : arena.allocate(scaleBytes, 64);
      int stripRows = Math.clamp(STRIP_BYTES / rowBytes, 1, outputs);
      MemorySegment strip = arena.allocate(stripRows * rowBytes, 64);
      Strip rows = new Strip(name, from, format, strip, scales, workers.parallelism());
      for (int done = 0; done < outputs; ) {
        int first = done;
        int count = Math.min(stripRows, outputs - first);
        workers.run(count, (row, worker) -> rows.quantize(first, row, worker));
        writer.data(name, strip.asSlice(0, count * rowBytes));
        done += count;
        progress.accept(written + done * rowBytes);
      }
      if (scaleBytes > 0) {
        writer.data(name + GgufWriter.SCALES, scales);
        progress.accept(written + item.bytes());
      }
    }
  }

  /// The bytes of a tensor of one dimension, as F32.
  private MemorySegment vector(Checkpoint.Tensor tensor) throws IOException {
    float[] values =
        source.find(tensor.name()).isPresent() ? source.vector(tensor) : ropeTensor(tensor.name());
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return MemorySegment.ofArray(bytes.array());
  }

  private float[] ropeTensor(String name) {
    List<Float> divisors = source.config().rope().scaling().tensors().get(name);
    float[] values = new float[divisors.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = divisors.get(i);
    }
    return values;
  }

  /// Rows of a matrix on their way to another format.
  ///
  /// @param strip data plane of some rows
  /// @param scales scale plane of all rows
  /// @param row an unpacked row for each worker
  private record Strip(
      String name,
      WeightMatrix from,
      BlockCodec codec,
      BlockFormat format,
      MemorySegment strip,
      MemorySegment scales,
      float[][] row) {

    Strip(
        String name,
        WeightMatrix from,
        BlockFormat format,
        MemorySegment strip,
        MemorySegment scales,
        int parallelism) {
      this(
          name,
          from,
          BlockCodec.of(from.format()).orElseThrow(),
          format,
          strip,
          scales,
          new float[parallelism][from.inputs()]);
    }

    /// @param first row of the matrix that the strip begins with
    /// @param index row of the strip
    void quantize(int first, int index, int worker) {
      float[] x = row[worker];
      codec.decodeRow(from, first + index, MemorySegment.ofArray(x), 0);
      checkFinite(x, first + index);
      long scaleBytes = scales.byteSize() / from.outputs();
      try {
        RowQuantizer.TABLE
            .get(format)
            .quantize(
                x,
                strip,
                index * format.rowBytes(from.inputs()),
                scales,
                (first + index) * scaleBytes);
      } catch (IllegalArgumentException e) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: tensor %s, row %d, as %s: %s",
                name,
                first + index,
                format,
                e.getMessage()),
            e);
      }
    }

    private void checkFinite(float[] x, int rowIndex) {
      for (int i = 0; i < x.length; i++) {
        if (!Float.isFinite(x[i])) {
          throw new LlamaException(
              String.format(
                  Locale.ROOT,
                  "model: tensor %s, row %d, column %d: %s, expected a finite weight: the model is damaged",
                  name,
                  rowIndex,
                  i,
                  x[i]));
        }
      }
    }
  }
}
