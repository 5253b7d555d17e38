package dev.quern.llama;

import dev.quern.KernelOptions;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;

/// What guesses by look-up are worth on a large shape, by how many of them are right; not a test,
/// run its `main` (docs/benchmarks.md):
///
/// ```
/// LookupTiming MODEL ROUNDS [PROVIDER [TEXT]]
/// ```
///
/// With a text, a trained model goes on behind three copies of it, greedily. Without one:
///
/// In a copy of the model the matrices that add to the residual stream are zeros, which take as
/// long as others. So the likeliest token is the last one again, the more so the lower the
/// temperature: a text that repeats itself, and sometimes does not. In each round the same text is
/// generated without guesses and with up to 4 and 8.
final class LookupTiming {
  private static final int TOKENS = 128;
  private static final double[] TEMPERATURES = {0, 5, 7, 9};

  private LookupTiming() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    KernelOptions kernels = KernelOptions.fromSystem();
    if (args.length > 2) {
      kernels = kernels.with("quern.provider", args[2]);
    }
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withThreads(2).withContext(512);
    if (args.length > 3) {
      try (LlamaModel model = LlamaModel.load(Path.of(args[0]), options)) {
        System.out.println(model.report().text());
        String quoted = (args[3] + " ").repeat(3);
        int[] prompt = model.tokenizer().encodeBeginning(quoted, false);
        run(model, prompt, 0, Integer.parseInt(args[1]));
      }
      return;
    }
    Path copy = Files.createTempFile("quern-lookup", ".gguf");
    try {
      silence(Path.of(args[0]), copy);
      try (LlamaModel model = LlamaModel.load(copy, options)) {
        System.out.println(model.report().text());
        int[] prompt = new int[32];
        Arrays.fill(prompt, 1000);
        for (double temperature : TEMPERATURES) {
          run(model, prompt, temperature, Integer.parseInt(args[1]));
        }
      }
    } finally {
      Files.delete(copy);
    }
  }

  private static void silence(Path model, Path copy) throws IOException {
    Files.copy(model, copy, StandardCopyOption.REPLACE_EXISTING);
    try (GgufFile file = GgufFile.open(model);
        FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
      for (GgufTensor t : file.tensors()) {
        if (t.name().endsWith("attn_output.weight") || t.name().endsWith("ffn_down.weight")) {
          channel.write(ByteBuffer.allocate((int) t.byteSize()), t.offset());
        }
      }
    }
  }

  private static void run(LlamaModel model, int[] prompt, double temperature, int rounds)
      throws InterruptedException {
    int[] lookups = {0, 4, 8};
    double[][] rates = new double[lookups.length][rounds];
    double[] right = new double[lookups.length];
    for (int r = -1; r < rounds; r++) { // the first warms up
      for (int l = 0; l < lookups.length; l++) {
        EngineOptions options = EngineOptions.defaults().withSequences(1).withLookup(lookups[l]);
        try (Engine engine = model.newEngine(options)) {
          SamplingOptions sampling = new SamplingOptions(temperature, 40, 1, 0, 1, 0, r);
          GenerationOptions generation = GenerationOptions.of(TOKENS, sampling).ignoringEnd();
          Generation g = engine.submit(EngineRequest.of(prompt, generation), _ -> {}).await();
          if (r >= 0) {
            rates[l][r] = (g.tokens().size() - 1) / g.decodeSeconds();
            EngineMetrics m = engine.metrics();
            right[l] += (double) m.acceptedTokens() / Math.max(1, m.guessedTokens()) / rounds;
          }
        }
      }
    }
    for (int l = 1; l < lookups.length; l++) {
      double[] ratios = new double[rounds];
      for (int r = 0; r < rounds; r++) {
        ratios[r] = rates[l][r] / rates[0][r];
      }
      Arrays.sort(ratios);
      System.out.printf(
          Locale.ROOT,
          "temperature %.0f, up to %d: %.2f of the guesses right, %.2f [%.2f .. %.2f] of the speed without (%.1f tokens a second)%n",
          temperature,
          lookups[l],
          right[l],
          ratios[rounds / 2],
          ratios[0],
          ratios[rounds - 1],
          rates[0][rounds / 2]);
    }
  }
}
