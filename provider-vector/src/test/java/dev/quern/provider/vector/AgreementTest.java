package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.QuantizedModel;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.testing.SharedFiles;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole models on the vector provider as users get it, with whatever numerics it prefers and an
/// F16 cache, against the scalar one with exact numerics and an F32 cache.
class AgreementTest {
  /// Mean of KL(scalar || vector) over next-token distributions, in nats.
  private static final double KL_BOUND = 1e-3;

  private static final double NMSE_BOUND = 5e-3;
  private static final int TOKENS = 500;
  private static final long SEED = 1;

  @TempDir private Path folder;

  @Test
  void distributionsOfStories260KAgree() throws Exception {
    assertDistributionsAgree(SharedFiles.file("models/stories260K-Q4_0.gguf"));
  }

  @Test
  void distributionsOfTheDemoModelInQ4_0Agree() throws Exception {
    Path demo = folder.resolve("demo.gguf");
    Path quantised = folder.resolve("demo-Q4_0.gguf");
    try (InputStream in = LlamaModel.class.getResourceAsStream("quern-demo.gguf")) {
      Files.copy(in, demo);
    }
    QuantisedCopy.write(demo, quantised);
    assertDistributionsAgree(quantised);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_M", "Q5_K_M", "Q6_K"
      })
  void logitsOfTiny1Agree(String format) throws Exception {
    Path file = SharedFiles.file("models/tiny1-" + format + ".gguf");
    try (LlamaModel exact = LlamaModel.load(file, scalar());
        LlamaModel actual = LlamaModel.load(file, vector())) {
      int[] tokens = new Random(SEED).ints(64, 0, exact.config().vocabulary()).toArray();
      List<float[]> expected = logits(exact, tokens);
      List<float[]> logits = logits(actual, tokens);
      for (int i = 0; i < tokens.length; i++) {
        double nmse = nmse(logits.get(i), expected.get(i));
        assertTrue(
            nmse < NMSE_BOUND,
            String.format(Locale.ROOT, "seed %d, position %d: NMSE %g", SEED, i, nmse));
      }
    }
  }

  /// Int4 blocks and int8 channels, with SpinQuant's rotation and with adaptors, which add to
  /// columns of what other kernels wrote.
  @ParameterizedTest
  @CsvSource({"SpinQuant, true, false", "QLoRA, false, true"})
  void logitsOfTheQuantisedLlamaAgree(String name, boolean spinQuant, boolean adaptors)
      throws Exception {
    Path model = new QuantizedModel(SEED, spinQuant, adaptors).write(folder, false);
    try (LlamaModel exact = LlamaModel.load(model, scalar());
        LlamaModel actual = LlamaModel.load(model, vector())) {
      actual.report().assertNoFallback("vector");
      int[] tokens = new Random(SEED).ints(64, 0, QuantizedModel.VOCABULARY).toArray();
      List<float[]> expected = logits(exact, tokens);
      List<float[]> logits = logits(actual, tokens);
      for (int i = 0; i < tokens.length; i++) {
        double nmse = nmse(logits.get(i), expected.get(i));
        assertTrue(
            nmse < NMSE_BOUND,
            String.format(Locale.ROOT, "seed %d, position %d: NMSE %g", SEED, i, nmse));
      }
    }
  }

  /// On texts that the exact model wrote itself.
  private static void assertDistributionsAgree(Path file) throws IOException {
    try (LlamaModel exact = LlamaModel.load(file, scalar());
        LlamaModel actual = LlamaModel.load(file, vector())) {
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

  private static double nmse(float[] actual, float[] expected) {
    double error = 0;
    double power = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = (double) actual[i] - expected[i];
      error += difference * difference;
      power += (double) expected[i] * expected[i];
    }
    return error / power;
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

  private static LoadOptions vector() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", "vector");
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }
}
