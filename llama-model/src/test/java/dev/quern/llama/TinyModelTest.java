package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The forward pass on `tiny1`, in every format, against llama.cpp and against double precision.
class TinyModelTest {
  /// An exact forward pass in F32 stays within this of one in double precision over the same
  /// weights.
  private static final double EXACT_NMSE = 1e-9;

  /// Files that the test resources hold, so that a plain build checks them too.
  private static final List<String> EMBEDDED = List.of("F32", "Q4_0", "Q6_K");

  /// The bound against llama.cpp is wide for the quantized formats: it rounds activations there.
  @ParameterizedTest
  @CsvSource({
    "F32, 1e-9",
    "F16, 1e-5",
    "BF16, 3e-4",
    "Q8_0, 5e-3",
    "Q4_0, 5e-3",
    "Q4_1, 5e-3",
    "Q5_0, 5e-3",
    "Q5_1, 5e-3",
    "Q4_K_M, 5e-3",
    "Q5_K_M, 5e-3",
    "Q6_K, 5e-3"
  })
  void logitsAgreeWithBothReferences(String format, double nmseAgainstLlamaCpp) throws Exception {
    String name = "tiny1-" + format + ".gguf";
    Path file = EMBEDDED.contains(format) ? resource(name) : SharedFiles.file("models/" + name);
    ReferenceLogits exact = reference("tiny1.exact.json", format);
    ReferenceLogits llamaCpp = reference("tiny1.reference.json", format);

    List<float[]> logits = logits(file, exact.tokens());

    assertEquals(24, logits.size());
    assertEquals(3, exact.logits().size());
    exact
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(
              nmse < EXACT_NMSE, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
    llamaCpp
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(
              nmse < nmseAgainstLlamaCpp,
              String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
  }

  /// llama.cpp's server gives probabilities, and so logits but for a number that all of them have
  /// in common; seven digits of it.
  @ParameterizedTest
  @CsvSource({"F32, 2e-6", "IQ4_NL, 5e-3"})
  void iq4NlAgreesWithLlamaCpp(String as, double bound) throws Exception {
    ReferenceLogits reference = reference("tiny1-IQ4_NL.reference.json", as);
    List<float[]> logits = logits(resource("tiny1-IQ4_NL.gguf"), reference.tokens());
    assertEquals(3, reference.logits().size());
    reference
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(lessMean(logits.get(position)), expected);
          assertTrue(nmse < bound, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
  }

  /// Files as llama-quantize mixes them: Q2_K beside Q3_K, Q4_K and Q6_K, Q3_K beside Q4_K, Q5_K
  /// and Q6_K. llama.cpp computes with the weights as they are where they are F32, and rounds
  /// activations where they are not.
  @ParameterizedTest
  @CsvSource({"Q2_K, 5e-3", "Q3_K_M, 5e-3", "MXFP4, 5e-3"})
  void mixedFilesAgreeWithLlamaCpp(String file, double boundAsItIs) throws Exception {
    String references = "tiny1-" + file + ".reference.json";
    ReferenceLogits exact = reference(references, "F32");
    ReferenceLogits rounded = reference(references, file);
    List<float[]> logits = logits(resource("tiny1-" + file + ".gguf"), exact.tokens());
    assertEquals(3, exact.logits().size());
    exact
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(nmse < 1e-9, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
    rounded
        .logits()
        .forEach((position, expected) -> {
          double nmse = ReferenceLogits.nmse(logits.get(position), expected);
          assertTrue(
              nmse < boundAsItIs, String.format(Locale.ROOT, "position %d: %g", position, nmse));
        });
  }

  private static float[] lessMean(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += logit;
    }
    float[] rest = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      rest[i] = (float) (logits[i] - sum / logits.length);
    }
    return rest;
  }

  private static List<float[]> logits(Path file, int[] tokens) throws IOException {
    List<float[]> logits = new ArrayList<>();
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.numerics", "exact");
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
    try (LlamaModel model = LlamaModel.load(file, options);
        LlamaSession session = model.newSession()) {
      session.evaluate(tokens, logits::add);
    }
    return logits;
  }

  private static ReferenceLogits reference(String name, String format) throws IOException {
    try (InputStream in = TinyModelTest.class.getResourceAsStream(name)) {
      return ReferenceLogits.read(in, format);
    }
  }

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(TinyModelTest.class.getResource(name).toURI());
  }
}
