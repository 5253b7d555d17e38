package dev.quern.llama.perplexity;

import static dev.quern.llama.perplexity.Perplexity.Phase.DECODE;
import static dev.quern.llama.perplexity.Perplexity.Phase.PREFILL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.SyntheticModel;
import dev.quern.llama.error.LlamaException;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Perplexity against llama.cpp's, and against the definition.
class PerplexityTest {
  /// `llama-perplexity -m stories260K.gguf -f stories260K.txt -c 256`: "PPL = 3.0980 +/- 0.11542",
  /// over 23 chunks.
  @Test
  void isLlamaCpps() throws IOException {
    try (LlamaModel model =
        LlamaModel.load(SharedFiles.file("models/stories260K.gguf"), options())) {
      int[] tokens = Perplexity.tokens(model, text("stories260K.txt"));
      Perplexity p = measure(model, List.of(), tokens, 256);
      assertEquals(23, p.chunks());
      assertEquals(23 * 127, p.scored());
      assertEquals(3.0980, p.value(), 3.0980e-3);
      assertEquals(0.11542, p.uncertainty(), 2 * 0.11542e-3);
      assertTrue(p.divergences().isEmpty());
    }
  }

  /// `llama-perplexity -m quern-demo.gguf -f demo.txt -c 256`.
  @Test
  void ofTheDemoModelIsLlamaCpps() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      int[] tokens = Perplexity.tokens(model, text("demo.txt"));
      Perplexity p = measure(model, List.of(), tokens, 256);
      assertEquals(2.4516, p.value(), 2.4516e-3);
      assertEquals(0.16519, p.uncertainty(), 0.16519 * 2e-3);
    }
  }

  /// `--kl-divergence` of the Q4_0 file against the F32 file, as llama.cpp measures it (0.068679,
  /// 95 % 0.236935, same top 87.778 %, perplexity 3.3618 +/- 0.12570); it keeps the reference in 16
  /// bits and rounds activations.
  @Test
  void divergenceIsLlamaCpps() throws IOException {
    try (LlamaModel model =
            LlamaModel.load(SharedFiles.file("models/stories260K-Q4_0.gguf"), options());
        LlamaModel reference =
            LlamaModel.load(SharedFiles.file("models/stories260K.gguf"), options())) {
      int[] tokens = Perplexity.tokens(model, text("stories260K.txt"));
      Perplexity p = measure(model, List.of(reference), tokens, 256);
      Divergence d = p.divergences().getFirst();
      assertEquals(3.3618, p.value(), 2 * 3.3618e-3);
      assertEquals(0.12570, p.uncertainty(), 4 * 0.12570e-3);
      assertEquals(0.068679, d.mean().value(), 0.01 * 0.068679);
      assertEquals(0.002378, d.mean().uncertainty(), 0.03 * 0.002378);
      assertEquals(0.236935, d.percentile(0.95), 0.02 * 0.236935);
      assertEquals(0.87778, d.sameLikeliest(), 0.005);
      assertEquals(0.10395, d.probability(), 0.02 * 0.10395);
      assertEquals(3.0980, d.referencePerplexity(), 3.098e-3);
      assertEquals(Math.log(p.value() / d.referencePerplexity()), d.logRatio().value(), 1e-9);
    }
  }

  /// The protocol written down once more: token by token, each chunk in a session of its own.
  @Test
  void isTheDefinition() throws IOException {
    int context = 80; // more than one step of the second half
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      int[] tokens =
          Arrays.copyOf(Perplexity.tokens(model, text("demo.txt")), 2 * context + context / 2);
      List<Double> losses = new ArrayList<>();
      for (int chunk = 0; chunk < 2; chunk++) {
        int[] ids = Arrays.copyOfRange(tokens, chunk * context, (chunk + 1) * context);
        ids[0] = model.tokenizer().bos().getAsInt();
        List<float[]> logits = new ArrayList<>();
        try (LlamaSession session = model.newSession()) {
          for (int id : ids) {
            session.evaluate(new int[] {id}, logits::add);
          }
        }
        for (int i = context / 2; i < context - 1; i++) {
          double sum = 0;
          for (float l : logits.get(i)) {
            sum += Math.exp(l);
          }
          losses.add(Math.log(sum) - logits.get(i)[ids[i + 1]]);
        }
      }
      double mean = losses.stream().mapToDouble(x -> x).average().orElseThrow();
      double variance =
          losses.stream().mapToDouble(x -> (x - mean) * (x - mean)).average().orElseThrow();

      List<Integer> heard = new ArrayList<>();
      Perplexity p = Perplexity.measure(model, PREFILL, List.of(), tokens, context, 0, heard::add);

      assertEquals(List.of(1, 2), heard);
      assertEquals(losses.size(), p.scored());
      assertEquals(Math.exp(mean), p.value(), 1e-5);
      double uncertainty = Math.exp(mean) * Math.sqrt(variance / (losses.size() - 1));
      assertEquals(uncertainty, p.uncertainty(), 1e-4 * uncertainty);
    }
  }

  /// In batches before the scored tokens, then one by one: the calls of a session that generates.
  @Test
  void decodeIsTokenByToken() throws IOException {
    int context = 40;
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      int[] tokens = Arrays.copyOf(Perplexity.tokens(model, text("demo.txt")), 2 * context);
      double sum = 0;
      for (int chunk = 0; chunk < 2; chunk++) {
        int[] ids = Arrays.copyOfRange(tokens, chunk * context, (chunk + 1) * context);
        ids[0] = model.tokenizer().bos().getAsInt();
        try (LlamaSession session = model.newSession()) {
          session.evaluate(Arrays.copyOf(ids, context / 2), 0, _ -> {});
          for (int i = context / 2; i < context - 1; i++) {
            List<float[]> logits = new ArrayList<>();
            session.evaluate(new int[] {ids[i]}, logits::add);
            sum -= Distribution.of(logits.getFirst()).log(ids[i + 1]);
          }
        }
      }
      Perplexity p =
          Perplexity.measure(model, DECODE, List.of(model, model), tokens, context, 0, _ -> {});
      assertEquals(1, p.rows());
      assertEquals(2 * 19, p.scored());
      assertEquals(sum / p.scored(), p.logLikelihood().value());
      assertEquals(2, p.divergences().size());
    }
  }

  /// A last step of one row would run on the kernels of decode.
  @Test
  void prefillHasNoStepOfOneRow() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      int[] tokens = Perplexity.tokens(model, text("demo.txt"));
      assertEquals(32, measure(model, List.of(), tokens, 131).rows()); // 65 scored
      assertEquals(63, measure(model, List.of(), tokens, 128).rows());
    }
  }

  @Test
  void aModelDoesNotDivergeFromItself() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(options());
        LlamaModel same = LlamaModel.loadDemo(options())) {
      int[] tokens = Arrays.copyOf(Perplexity.tokens(model, text("demo.txt")), 200);
      Divergence d = measure(model, List.of(same), tokens, 64).divergences().getFirst();
      assertEquals(0, d.percentile(1), 1e-12);
      assertEquals(0, d.percentile(0), 1e-12);
      assertEquals(0, d.nmse());
      assertEquals(1, d.sameLikeliest());
      assertEquals(0, d.logRatio().value());
    }
  }

  /// Two tokens at 3/4 and 1/4 against 1/2 and 1/2.
  @Test
  void theDivergenceOfTwoCoinsIsKnown() {
    Distribution p = Distribution.of(new float[] {(float) Math.log(3), 0});
    Distribution q = Distribution.of(new float[] {7, 7});
    double expected = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
    assertEquals(expected, p.divergence(q), 1e-7);
    assertEquals(0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25), q.divergence(p), 1e-7);
    assertEquals(Math.log(0.25), p.log(1), 1e-7);
  }

  @Test
  void largeLogitsDoNotOverflow() {
    Distribution p = Distribution.of(new float[] {3e38f, -3e38f, 3e38f});
    assertEquals(Math.log(0.5), p.log(0), 1e-12);
    assertEquals(0, p.likeliest());
  }

  @Test
  void percentilesAreInterpolated() {
    Divergence d = new Divergence(null, null, null, 0, 0, 0, new double[] {0, 10, 20, 30, 40});
    assertEquals(20, d.percentile(0.5));
    assertEquals(38, d.percentile(0.95), 1e-12);
    assertEquals(0, d.percentile(0));
    assertEquals(40, d.percentile(1));
  }

  /// The limit leaves out chunks from the end.
  @Test
  void chunksCanBeLimited() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      int[] tokens = new Random(1).ints(5 * 32, 0, 506).toArray();
      Perplexity two = Perplexity.measure(model, PREFILL, List.of(), tokens, 32, 2, chunks -> {});
      Perplexity all =
          Perplexity.measure(
              model, PREFILL, List.of(), Arrays.copyOf(tokens, 64), 32, 0, chunks -> {});
      assertEquals(all, two);
    }
  }

  @Test
  void whatCannotBeMeasuredIsRefusedInOneLine(@TempDir Path folder) throws Exception {
    Path file = new SyntheticModel().write(folder.resolve("other.gguf"));
    try (LlamaModel demo = LlamaModel.loadDemo(options());
        LlamaModel other = LlamaModel.load(file, options())) {
      int[] tokens = new int[100];
      refused("expected at least 128", demo, List.of(), tokens, 64);
      refused("context=3", demo, List.of(), tokens, 3);
      refused("expected 4 to 512", demo, List.of(), new int[2000], 600);
      refused("expected the same", demo, List.of(other), tokens, 32);
    }
  }

  private static void refused(
      String part, LlamaModel model, List<LlamaModel> references, int[] tokens, int context) {
    LlamaException e =
        assertThrows(LlamaException.class, () -> measure(model, references, tokens, context));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private static Perplexity measure(
      LlamaModel model, List<LlamaModel> references, int[] tokens, int context) {
    return Perplexity.measure(model, PREFILL, references, tokens, context, 0, chunks -> {});
  }

  private static LoadOptions options() {
    KernelOptions exact = KernelOptions.fromSystem().with("quern.numerics", "exact");
    return LoadOptions.defaults().withKernels(exact).withKv(KvFormat.F32).withThreads(2);
  }

  private static String text(String name) throws IOException {
    try (InputStream in = PerplexityTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
