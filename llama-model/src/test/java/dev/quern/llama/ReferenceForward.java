package dev.quern.llama;

import java.util.ArrayList;
import java.util.List;

/// The forward pass of a [QuantizedModel] in double precision, token by token, as the papers write
/// it. Shares no code with the product.
final class ReferenceForward {
  private static final int HEAD_DIM = QuantizedModel.HEAD_DIM;

  private final QuantizedModel model;
  private final List<List<double[]>> keys = new ArrayList<>(); // [layer][position][kvHeads*headDim]
  private final List<List<double[]>> values = new ArrayList<>();

  ReferenceForward(QuantizedModel model) {
    this.model = model;
    for (int l = 0; l < QuantizedModel.LAYERS; l++) {
      keys.add(new ArrayList<>());
      values.add(new ArrayList<>());
    }
  }

  /// The logits after one more token.
  double[] next(int token) {
    double[] x = model.matrices.get("tok_embeddings")[token].clone();
    for (int l = 0; l < QuantizedModel.LAYERS; l++) {
      String layer = "layers." + l + ".";
      int position = keys.get(l).size();
      double[] h = norm(x, layer + "attention_norm");
      double[] q = rotate(times(layer + "attention.wq", h), position);
      keys.get(l).add(rotate(times(layer + "attention.wk", h), position));
      values.get(l).add(times(layer + "attention.wv", h));
      add(x, times(layer + "attention.wo", attend(q, keys.get(l), values.get(l))));

      h = norm(x, layer + "ffn_norm");
      double[] gate = times(layer + "feed_forward.w1", h);
      double[] up = times(layer + "feed_forward.w3", h);
      for (int i = 0; i < gate.length; i++) {
        gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
      }
      add(x, times(layer + "feed_forward.w2", model.spinQuant ? hadamard(gate) : gate));
    }
    return times("output", norm(x, "norm"));
  }

  private double[] times(String name, double[] x) {
    double[][] w = model.matrices.get(name);
    double[] y = new double[w.length];
    for (int o = 0; o < w.length; o++) {
      for (int i = 0; i < x.length; i++) {
        y[o] += w[o][i] * x[i];
      }
    }
    return y;
  }

  private double[] norm(double[] x, String name) {
    double squares = 0;
    for (double v : x) {
      squares += v * v;
    }
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] / Math.sqrt(squares / x.length + 1e-5) * model.norms.get(name)[i];
    }
    return y;
  }

  /// Llama 3.2's scaled frequencies: factor 32, of an original context of 8192.
  private static double[] rotate(double[] heads, int position) {
    double[] rotated = heads.clone();
    for (int i = 0; i < heads.length; i += 2) {
      double frequency = Math.pow(500_000, -(i % HEAD_DIM) / (double) HEAD_DIM);
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength > 8192) {
        frequency /= 32;
      } else if (wavelength > 8192 / 4.0) {
        double smooth = (8192 / wavelength - 1) / (4 - 1);
        frequency = (1 - smooth) * frequency / 32 + smooth * frequency;
      }
      double cos = Math.cos(position * frequency);
      double sin = Math.sin(position * frequency);
      rotated[i] = heads[i] * cos - heads[i + 1] * sin;
      rotated[i + 1] = heads[i] * sin + heads[i + 1] * cos;
    }
    return rotated;
  }

  private static double[] attend(double[] q, List<double[]> keys, List<double[]> values) {
    double[] y = new double[q.length];
    for (int head = 0; head < QuantizedModel.HEADS; head++) {
      int kv = head / (QuantizedModel.HEADS / QuantizedModel.KV_HEADS) * HEAD_DIM;
      double[] weights = new double[keys.size()];
      double sum = 0;
      for (int t = 0; t < weights.length; t++) {
        double score = 0;
        for (int d = 0; d < HEAD_DIM; d++) {
          score += q[head * HEAD_DIM + d] * keys.get(t)[kv + d];
        }
        weights[t] = Math.exp(score / Math.sqrt(HEAD_DIM));
        sum += weights[t];
      }
      for (int t = 0; t < weights.length; t++) {
        for (int d = 0; d < HEAD_DIM; d++) {
          y[head * HEAD_DIM + d] += weights[t] / sum * values.get(t)[kv + d];
        }
      }
    }
    return y;
  }

  /// By the definition: the sign of element (i, j) is the parity of the bits that i and j share.
  private static double[] hadamard(double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += Integer.bitCount(i & j) % 2 == 0 ? x[j] : -x[j];
      }
      y[i] /= Math.sqrt(x.length);
    }
    return y;
  }

  private static void add(double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] += y[i];
    }
  }
}
