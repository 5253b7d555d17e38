package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.testing.Nmse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/// Whole models on a provider against the scalar one with exact numerics and an F32 cache: for the
/// tests of providers.
public final class Agreement {
  /// Of the random tokens and texts.
  public static final long SEED = 1;

  /// Mean of KL(scalar || provider) over next-token distributions, in nats.
  private static final double KL_BOUND = 1e-3;

  private static final double NMSE_BOUND = 5e-3;
  private static final int TOKENS = 500;

  private Agreement() {}

  /// Logits after each of 64 random tokens.
  public static void assertLogits(Path file, LoadOptions options) throws IOException {
    double[] nmse = nmse(file, options);
    for (int i = 0; i < nmse.length; i++) {
      assertTrue(
          nmse[i] < NMSE_BOUND,
          String.format(Locale.ROOT, "seed %d, position %d: NMSE %g", SEED, i, nmse[i]));
    }
  }

  /// The same of their mean: where activations are rounded to int8, a model of 32 elements a row
  /// has positions at which little is left to compare. One that is wrong exceeds the bound still.
  public static void assertLogitsOnAverage(Path file, LoadOptions options) throws IOException {
    double mean = Arrays.stream(nmse(file, options)).average().orElseThrow();
    assertTrue(mean < NMSE_BOUND, String.format(Locale.ROOT, "seed %d: NMSE %g", SEED, mean));
  }

  private static double[] nmse(Path file, LoadOptions options) throws IOException {
    try (LlamaModel exact = LlamaModel.load(file, scalar());
        LlamaModel actual = LlamaModel.load(file, options)) {
      int[] tokens = new Random(SEED).ints(64, 0, exact.config().vocabulary()).toArray();
      List<float[]> expected = logits(exact, tokens);
      List<float[]> logits = logits(actual, tokens);
      return IntStream.range(0, tokens.length)
          .mapToDouble(i -> Nmse.of(logits.get(i), expected.get(i)))
          .toArray();
    }
  }

  /// The families whose layers have what Llama's have not: windows, soft caps, GELU, norms of heads
  /// and behind blocks, multipliers; or lack it: RoPE in a part of each head, or in no part of a
  /// layer.
  public static final List<String> FAMILIES =
      List.of("qwen3", "phi3", "smollm3", "gemma2", "gemma3", "granite");

  /// The files of formats that llama-quantize mixes, and of one that it makes when it is asked.
  public static final List<String> MIXES = List.of("Q2_K", "Q3_K_M", "MXFP4");

  /// `tiny1` in one of [#MIXES].
  public static Path mixed(String mix, Path folder) throws IOException {
    return resource("tiny1-" + mix + ".gguf", folder);
  }

  /// A tiny random model of a family (`tiny-families.py`).
  ///
  /// @param format F32, Q8_0 or Q4_0
  public static Path tiny(String family, String format, Path folder) throws IOException {
    return resource(String.format(Locale.ROOT, "tiny-%s-%s.gguf", family, format), folder);
  }

  private static Path resource(String name, Path folder) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = Agreement.class.getResourceAsStream(name)) {
      Files.copy(in, file);
    }
    return file;
  }

  /// The demo model, all of whose matrices are rounded to Q4_0.
  public static Path demoInQ4_0(Path folder) throws IOException {
    Path demo = folder.resolve("demo.gguf");
    Path quantized = folder.resolve("demo-Q4_0.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.copy(in, demo);
    }
    QuantizedCopy.write(demo, quantized);
    return quantized;
  }

  /// What is likely after each of 500 tokens, of texts that the exact model wrote itself.
  public static void assertDistributions(Path file, LoadOptions options) throws IOException {
    try (LlamaModel exact = LlamaModel.load(file, scalar());
        LlamaModel actual = LlamaModel.load(file, options)) {
      double sum = 0;
      int positions = 0;
      for (long seed = SEED; positions < TOKENS; seed++) {
        int[] text = text(exact, seed, TOKENS - positions);
        List<float[]> expected = logits(exact, text);
        List<float[]> logits = logits(actual, text);
        for (int i = 0; i < text.length; i++) {
          sum += divergence(expected.get(i), logits.get(i));
        }
        positions += text.length;
      }
      assertEquals(TOKENS, positions);
      double mean = sum / positions;
      System.out.printf(
          Locale.ROOT, "[quern] %s: mean KL divergence %.2e%n", file.getFileName(), mean);
      assertTrue(
          mean < KL_BOUND,
          String.format(Locale.ROOT, "mean KL divergence %g, seeds from %d", mean, SEED));
    }
  }

  /// At most `limit` tokens: the start token and what the model says after it.
  private static int[] text(LlamaModel model, long seed, int limit) {
    try (LlamaSession session = model.newSession()) {
      List<Integer> tokens = new ArrayList<>();
      tokens.add(model.tokenizer().bos().orElseThrow());
      SamplingOptions sampling = SamplingOptions.standard(seed);
      tokens.addAll(
          session
              .generateTokens(
                  new int[] {tokens.getFirst()},
                  new GenerationOptions(limit - 1, sampling, Set.of()),
                  id -> true)
              .tokens());
      return tokens.stream().mapToInt(i -> i).toArray();
    }
  }

  /// Logits after each token: of the first half in batches, of the others one by one.
  private static List<float[]> logits(LlamaModel model, int[] tokens) {
    try (LlamaSession session = model.newSession()) {
      List<float[]> logits = new ArrayList<>();
      int half = tokens.length / 2;
      session.evaluate(Arrays.copyOf(tokens, half), logits::add);
      for (int i = half; i < tokens.length; i++) {
        session.evaluate(new int[] {tokens[i]}, logits::add);
      }
      return logits;
    }
  }

  /// `Σ p * ln(p / q)` of the softmax of two rows of logits.
  private static double divergence(float[] p, float[] q) {
    double logP = logOfSum(p);
    double logQ = logOfSum(q);
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      double ln = p[i] - logP;
      sum += Math.exp(ln) * (ln - (q[i] - logQ));
    }
    return sum;
  }

  private static double logOfSum(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float l : logits) {
      max = Math.max(max, l);
    }
    double sum = 0;
    for (float l : logits) {
      sum += Math.exp(l - max);
    }
    return max + Math.log(sum);
  }

  private static LoadOptions scalar() {
    KernelOptions kernels =
        KernelOptions.fromSystem().with("quern.provider", "scalar").with("quern.numerics", "exact");
    return LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
  }
}
