package dev.quern.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.SafetensorsBytes;
import dev.quern.llama.checkpoint.TorchBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/// A small random checkpoint in the form of the quantized Llama 3.2, and the numbers it stands for.
/// 2 layers, width 64, 4 heads, 2 KV heads, hidden 128, vocabulary 40.
public final class QuantizedModel {
  static final int WIDTH = 64;
  static final int HIDDEN = 128;
  static final int HEADS = 4;
  static final int KV_HEADS = 2;
  static final int HEAD_DIM = WIDTH / HEADS;
  static final int LAYERS = 2;
  public static final int VOCABULARY = 40;
  static final int RANK = 16;
  static final int GROUP = 32;

  /// The weights of a matrix, `[outputs][inputs]`, with its adaptor added; by Meta's name.
  final Map<String, double[][]> matrices = new LinkedHashMap<>();

  final Map<String, double[]> norms = new LinkedHashMap<>();
  final boolean spinQuant;
  private final SafetensorsBytes arrays = new SafetensorsBytes();
  private final Random random;
  private final boolean adaptors;

  public QuantizedModel(long seed, boolean spinQuant, boolean adaptors) {
    this.random = new Random(seed);
    this.spinQuant = spinQuant;
    this.adaptors = adaptors;
    perOutput("tok_embeddings", VOCABULARY, WIDTH);
    for (int l = 0; l < LAYERS; l++) {
      String layer = "layers." + l + ".";
      norm(layer + "attention_norm");
      perGroup(layer + "attention.wq", WIDTH, WIDTH);
      perGroup(layer + "attention.wk", KV_HEADS * HEAD_DIM, WIDTH);
      perGroup(layer + "attention.wv", KV_HEADS * HEAD_DIM, WIDTH);
      perGroup(layer + "attention.wo", WIDTH, WIDTH);
      norm(layer + "ffn_norm");
      perGroup(layer + "feed_forward.w1", HIDDEN, WIDTH);
      perGroup(layer + "feed_forward.w2", WIDTH, HIDDEN);
      perGroup(layer + "feed_forward.w3", HIDDEN, WIDTH);
    }
    norm("norm");
    perOutput("output", VOCABULARY, WIDTH);
  }

  SafetensorsBytes arrays() {
    return arrays;
  }

  /// `params.json`, and the weights in either container.
  public Path write(Path folder, boolean torch) throws IOException {
    Files.createDirectories(folder);
    if (torch) {
      TorchBytes.write(folder.resolve("consolidated.00.pth"), arrays.arrays());
    } else {
      arrays.writeSingle(folder);
    }
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode params = mapper.createObjectNode();
    params.put("dim", WIDTH).put("n_layers", LAYERS).put("n_heads", HEADS);
    params.put("n_kv_heads", KV_HEADS).put("vocab_size", VOCABULARY).put("norm_eps", 1e-5);
    params.put("rope_theta", 500_000.0).put("use_scaled_rope", true);
    ObjectNode quantization = params.putObject("quantization_args").put("group_size", GROUP);
    if (!adaptors) {
      quantization.put("spinquant", spinQuant);
    } else {
      params.putObject("lora_args").put("rank", RANK).put("scale", 2.0);
    }
    mapper.writeValue(folder.resolve("params.json").toFile(), params);
    return folder;
  }

  private void norm(String name) {
    double[] values = new double[WIDTH];
    ByteBuffer data = buffer(WIDTH * 2);
    for (int i = 0; i < WIDTH; i++) {
      values[i] = bf16(data, 1 + random.nextGaussian() / 8);
    }
    norms.put(name, values);
    arrays.add(name + ".weight", "BF16", data.array(), WIDTH);
  }

  private void perOutput(String name, int outputs, int inputs) {
    ByteBuffer scales = buffer(outputs * 4);
    byte[] q = new byte[outputs * inputs];
    double[][] values = new double[outputs][inputs];
    for (int o = 0; o < outputs; o++) {
      float scale = (float) (random.nextDouble(0.5, 2) / 128);
      scales.putFloat(scale);
      for (int i = 0; i < inputs; i++) {
        q[o * inputs + i] = (byte) random.nextInt(-128, 128);
        values[o][i] = (double) scale * q[o * inputs + i];
      }
    }
    arrays.add(name + ".weight", "I8", q, outputs, inputs);
    // Both shapes occur: the embedding's scales are a column.
    long[] shape = name.equals("output") ? new long[] {outputs} : new long[] {outputs, 1};
    arrays.add(name + ".scales", "F32", scales.array(), shape);
    arrays.add(name + ".zeros", "F32", new byte[outputs * 4], shape);
    matrices.put(name, values);
  }

  private void perGroup(String name, int outputs, int inputs) {
    int groups = inputs / GROUP;
    ByteBuffer scales = buffer(outputs * groups * 4);
    byte[] q = new byte[outputs * inputs];
    double[][] values = new double[outputs][inputs];
    for (int o = 0; o < outputs; o++) {
      for (int g = 0; g < groups; g++) {
        float scale = (float) (random.nextDouble(0.5, 2) / 32);
        scales.putFloat(scale);
        for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
          q[o * inputs + i] = (byte) random.nextInt(-8, 8);
          values[o][i] = nearestBf16(scale) * q[o * inputs + i];
        }
      }
    }
    arrays.add(name + ".weight", "I8", q, outputs, inputs);
    arrays.add(name + ".scales", "F32", scales.array(), outputs, groups);
    if (adaptors) {
      double[][] a = bf16Matrix(name + ".adaptor.A.weight", RANK, inputs);
      double[][] b = bf16Matrix(name + ".adaptor.B.weight", outputs, RANK);
      for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
          for (int r = 0; r < RANK; r++) {
            values[o][i] += 2 * b[o][r] * a[r][i];
          }
        }
      }
    }
    matrices.put(name, values);
  }

  private double[][] bf16Matrix(String name, int rows, int columns) {
    ByteBuffer data = buffer(rows * columns * 2);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = bf16(data, random.nextGaussian() / 16);
      }
    }
    arrays.add(name, "BF16", data.array(), rows, columns);
    return values;
  }

  /// Stores a value cut to BF16 and returns it.
  private static double bf16(ByteBuffer data, double value) {
    int bits = Float.floatToRawIntBits((float) value) & 0xffff0000;
    data.putShort((short) (bits >>> 16));
    return Float.intBitsToFloat(bits);
  }

  /// Of the two BF16 neighbours of a positive number the nearer one; ties do not occur by chance.
  private static double nearestBf16(float value) {
    int bits = Float.floatToRawIntBits(value) & 0xffff0000;
    double below = Float.intBitsToFloat(bits);
    double above = Float.intBitsToFloat(bits + 0x10000);
    return value - below < above - value ? below : above;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
