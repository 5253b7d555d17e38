package dev.quern.provider.vector;

import static dev.quern.llama.perplexity.Perplexity.Phase.DECODE;
import static dev.quern.llama.perplexity.Perplexity.Phase.PREFILL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Choice;
import dev.quern.KernelOptions;
import dev.quern.Operator;
import dev.quern.data.KvFormat;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.QuantizedCopy;
import dev.quern.llama.perplexity.Divergence;
import dev.quern.llama.perplexity.Perplexity;
import dev.quern.op.Numerics;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Perplexity of a Q4_0 model in the two phases: replies run on kernels that round activations to
/// int8, prompts on exact ones or not, by the width of vectors, and each measurement says which it
/// met.
class PhasesTest {
  private static final int CONTEXT = 32;
  private static final int CHUNKS = 2;

  @Test
  void decodeMeasuresTheKernelsOfOneRowAndPrefillThoseOfMany(@TempDir Path folder)
      throws Exception {
    Path original = folder.resolve("demo.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.copy(in, original);
    }
    Path file = folder.resolve("q4_0.gguf");
    QuantizedCopy.write(original, file);
    try (LlamaModel model = LlamaModel.load(file, options());
        LlamaModel reference = LlamaModel.load(original, options())) {
      assertTrue(
          model.report().choices().stream()
              .filter(c -> c.operator() == Operator.LINEAR)
              .map(c -> c.variant(1).numerics())
              .anyMatch(n -> !n.equals(Numerics.EXACT_F32)),
          "no kernel of one row rounds here: " + model.report().text());
      int[] tokens =
          Arrays.copyOf(
              model
                  .tokenizer()
                  .encodePrompt("Once upon a time, there was a boy. ".repeat(40), false),
              CHUNKS * CONTEXT);
      Perplexity prefill = measure(model, PREFILL, List.of(model, reference), tokens);
      Perplexity decode = measure(model, DECODE, List.of(model, reference), tokens);

      assertEquals(0, prefill.divergences().getFirst().percentile(1), 1e-12);
      // At 512 bits many rows run on exact kernels; at 256 and 128 they are rounded as one row is,
      // and then both phases say the same.
      boolean differ =
          model.report().choices().stream()
              .filter(c -> c.operator() == Operator.LINEAR)
              .anyMatch(c -> !c.variant(1).numerics().equals(c.variant(CONTEXT / 2).numerics()));
      Divergence ownPrefill = decode.divergences().getFirst();
      assertEquals(differ, ownPrefill.mean().value() > 1e-7, "mean " + ownPrefill.mean());
      double fromReference = prefill.divergences().getLast().mean().value();
      double decoded = decode.divergences().getLast().mean().value();
      assertEquals(differ, Math.abs(fromReference - decoded) > 1e-7, fromReference + " " + decoded);
      assertEquals(
          byHand(model, reference, tokens), decode.divergences().getLast().mean().value(), 1e-9);
    }
  }

  /// The protocol once more: token by token as a session generates, against batches.
  private static double byHand(LlamaModel model, LlamaModel reference, int[] tokens) {
    List<Double> divergences = new ArrayList<>();
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      int[] ids = Arrays.copyOfRange(tokens, chunk * CONTEXT, (chunk + 1) * CONTEXT);
      ids[0] = model.tokenizer().bos().getAsInt();
      int[] before = Arrays.copyOf(ids, CONTEXT / 2);
      int[] scored = Arrays.copyOfRange(ids, CONTEXT / 2, CONTEXT - 1);
      List<float[]> expected = new ArrayList<>();
      List<float[]> actual = new ArrayList<>();
      try (LlamaSession ours = model.newSession();
          LlamaSession theirs = reference.newSession()) {
        theirs.evaluate(before, 0, _ -> {});
        theirs.evaluate(scored, expected::add);
        ours.evaluate(before, 0, _ -> {});
        for (int id : scored) {
          ours.evaluate(new int[] {id}, actual::add);
        }
      }
      for (int i = 0; i < scored.length; i++) {
        divergences.add(
            divergence(logProbabilities(expected.get(i)), logProbabilities(actual.get(i))));
      }
    }
    return divergences.stream().mapToDouble(d -> d).average().orElseThrow();
  }

  private static double divergence(double[] p, double[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum += Math.exp(p[i]) * (p[i] - q[i]);
    }
    return sum;
  }

  private static double[] logProbabilities(float[] logits) {
    double sum = 0;
    for (float l : logits) {
      sum += Math.exp(l);
    }
    double[] logs = new double[logits.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = logits[i] - Math.log(sum);
    }
    return logs;
  }

  @Test
  void aChoiceKnowsTheVariantOfEachNumberOfRows() throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options())) {
      for (Choice choice : model.report().choices()) {
        for (int rows : new int[] {1, 2, 3, 64}) {
          int from = choice.variant(rows).minRows();
          assertTrue(from <= rows, choice.toString());
          assertTrue(
              choice.variants().stream().noneMatch(v -> v.minRows() > from && v.minRows() <= rows),
              choice.toString());
        }
      }
    }
  }

  private static Perplexity measure(
      LlamaModel model, Perplexity.Phase phase, List<LlamaModel> references, int[] tokens) {
    return Perplexity.measure(model, phase, references, tokens, CONTEXT, 0, _ -> {});
  }

  private static LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", "vector,scalar");
    return LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
  }
}
