package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.BlockFormat;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// Writes a model anew with all of its matrices in Q4_0, as ggml's `quantize_row_q4_0_ref` rounds
/// them: a block's step is its largest value by magnitude divided by -8.
public final class QuantizedCopy {
  private QuantizedCopy() {}

  /// @param from a model in F16 or F32, whose rows are multiples of 32
  public static void write(Path from, Path to) throws IOException {
    try (GgufFile model = GgufFile.open(from);
        GgufWriter writer = GgufWriter.create(to);
        Arena arena = Arena.ofConfined()) {
      for (String key : model.metadata().keys()) {
        writer.copy(model.metadata(), key);
      }
      for (GgufTensor t : model.tensors()) {
        writer.tensor(t.name(), isMatrix(t) ? BlockFormat.Q4_0 : BlockFormat.F32, t.dims());
      }
      for (GgufTensor t : model.tensors()) {
        MemorySegment data = model.map(t, arena);
        writer.data(t.name(), isMatrix(t) ? MemorySegment.ofArray(quantized(t, data)) : data);
      }
      writer.finish();
    }
  }

  private static boolean isMatrix(GgufTensor t) {
    return t.dims().length == 2;
  }

  private static byte[] quantized(GgufTensor t, MemorySegment data) {
    boolean f16 = t.format().orElseThrow().equals(BlockFormat.F16);
    long blocks = data.byteSize() / (f16 ? 2 : 4) / 32;
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(18 * blocks)).order(LITTLE_ENDIAN);
    float[] x = new float[32];
    for (long b = 0; b < blocks; b++) {
      float largest = 0;
      for (int i = 0; i < 32; i++) {
        long e = 32 * b + i;
        x[i] =
            f16
                ? Float.float16ToFloat(data.get(JAVA_SHORT_UNALIGNED, 2 * e))
                : data.get(JAVA_FLOAT_UNALIGNED, 4 * e);
        largest = Math.abs(x[i]) > Math.abs(largest) ? x[i] : largest;
      }
      float d = largest / -8;
      float inverse = d == 0 ? 0 : 1 / d;
      out.putShort(Float.floatToFloat16(d));
      for (int i = 0; i < 16; i++) {
        out.put((byte) (nibble(x[i] * inverse) | nibble(x[i + 16] * inverse) << 4));
      }
    }
    return out.array();
  }

  private static int nibble(float scaled) {
    return Math.min(15, (int) (scaled + 8.5f));
  }
}
