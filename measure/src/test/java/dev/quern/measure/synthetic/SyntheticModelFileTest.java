package dev.quern.measure.synthetic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Synthetic files as their readers see them.
class SyntheticModelFileTest {
  private static final ModelShape TINY = ModelShape.byName("tiny").orElseThrow();

  private static final LoadOptions SCALAR =
      LoadOptions.defaults().withKernels(KernelOptions.fromSystem().withProvider("scalar"));

  @TempDir Path folder;

  static Stream<String> formats() {
    return FormatMix.names().stream();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void everyFormatLoadsAndGivesSaneLogits(String format) throws IOException {
    try (LlamaModel model = LlamaModel.load(tiny(format, 1), SCALAR);
        LlamaSession session = model.newSession()) {
      int[] tokens = session.encodePrompt("Once upon a time");
      assertEquals(TINY.vocabulary() - GeneratedVocabulary.SPECIALS, tokens[0]);
      session.evaluate(
          tokens,
          logits -> {
            assertEquals(TINY.vocabulary(), logits.length);
            double squares = 0;
            for (float logit : logits) {
              squares += (double) logit * logit; // NaN and infinities stay visible
            }
            double deviation = Math.sqrt(squares / logits.length);
            assertTrue(deviation > 0.5 && deviation < 2, format + ": " + deviation);
          });
    }
  }

  /// Biases, norms and keys are where the family has them: a model without would be refused.
  @ParameterizedTest
  @ValueSource(strings = {"tiny-qwen2", "tiny-qwen3", "tiny-gemma2", "tiny-gemma3", "tiny-granite"})
  void otherFamiliesLoadToo(String shape) throws IOException {
    Path file = folder.resolve(shape + ".gguf");
    FormatMix mix = FormatMix.byName("Q4_0").orElseThrow();
    new SyntheticModelFile(ModelShape.byName(shape).orElseThrow(), mix, 1).write(file);
    try (LlamaModel model = LlamaModel.load(file, SCALAR);
        LlamaSession session = model.newSession()) {
      session.evaluate(
          session.encodePrompt("Once upon a time"),
          logits -> {
            for (float logit : logits) {
              assertTrue(Float.isFinite(logit));
            }
          });
    }
  }

  @Test
  void theSeedDecidesTheBytes() throws IOException {
    byte[] first = Files.readAllBytes(tiny("Q4_0", 1));
    assertArrayEquals(first, Files.readAllBytes(tiny("Q4_0", 1)));
    assertFalse(java.util.Arrays.equals(first, Files.readAllBytes(tiny("Q4_0", 2))));
  }

  @Test
  void theFileHoldsAsManyWeightBytesAsItSaid() throws IOException {
    SyntheticModelFile model = model("Q4_K_M", 1);
    try (GgufFile file = GgufFile.open(tiny("Q4_K_M", 1))) {
      assertEquals(model.weightBytes(), file.tensors().stream().mapToLong(t -> t.byteSize()).sum());
      assertEquals(model.tensorCount(), file.tensors().size());
    }
  }

  /// What llama-quantize makes of the 1B shape, from `quern inspect` of its output.
  @Test
  void mixesAreThoseOfLlamaQuantize() {
    FormatMix mix = FormatMix.byName("Q4_K_M").orElseThrow();
    List<Integer> important =
        Stream.iterate(0, l -> l + 1)
            .limit(16)
            .filter(l -> mix.important(l, 16).id().equals("Q6_K"))
            .toList();
    assertEquals(List.of(0, 1, 4, 7, 10, 13, 14, 15), important);
    assertEquals("Q6_K", FormatMix.byName("Q4_0").orElseThrow().output().id());
    assertEquals("Q8_0", FormatMix.byName("Q8_0").orElseThrow().output().id());
    assertEquals("Q4_0", FormatMix.byName("Q4_0").orElseThrow().pure().output().id());
    long quantized = // Q4_0 and Q6_K of llama-quantize's file; F32 norms, and rope_freqs
        547_356_672L + 215_470_080L + 270_336L + 32 * Float.BYTES;
    assertEquals(
        quantized,
        new SyntheticModelFile(
                ModelShape.byName("llama-3.2-1b").orElseThrow(),
                FormatMix.byName("Q4_0").orElseThrow(),
                1)
            .weightBytes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Once upon a time, there were 1234 cats.",
        "  two  spaces\n\n\ttabs and newlines \r\n",
        "caf\u00e9 na\u00efve \u6f22\u5b57 \ud83c\udf89 \u0000\u001f",
        "don't I'LL HELLO World_foo(bar) x=3.14159;"
      })
  void textSurvivesTheTokenizer(String text) throws IOException {
    Tokenizer tokenizer = LlamaModel.loadTokenizer(tiny("Q4_0", 1));
    assertEquals(text, tokenizer.decode(tokenizer.encode(text, false)));
  }

  @Test
  void aFullVocabularyHasLlama3sIds() {
    GeneratedVocabulary vocabulary = GeneratedVocabulary.ofSize(128_256);
    assertEquals(128_256, vocabulary.tokens().size());
    assertEquals(128_256, vocabulary.tokens().stream().distinct().count());
    assertEquals(128_000 - 256, vocabulary.merges().size());
    Map<String, Integer> ids =
        Map.of(
            "!", 0,
            "\u0120", 220, // a space
            "<|begin_of_text|>", 128_000,
            "<|end_of_text|>", 128_001,
            "<|start_header_id|>", 128_006,
            "<|end_header_id|>", 128_007,
            "<|eot_id|>", 128_009,
            "<|reserved_special_token_247|>", 128_255);
    assertEquals(
        new TreeMap<>(ids),
        ids.keySet().stream()
            .collect(
                Collectors.toMap(t -> t, vocabulary.tokens()::indexOf, Math::max, TreeMap::new)));
  }

  /// Wavelengths 8192/4 and 8192 of the original context lie at pairs 14.2 and 17.5.
  @Test
  void ropeFactorsBlendBetweenOneAndThirtyTwo() {
    float[] factors = ModelShape.byName("llama-3.2-1b").orElseThrow().ropeFactors();
    assertEquals(32, factors.length);
    assertEquals(1, factors[14]);
    assertTrue(factors[15] > 1 && factors[17] < 32, factors[15] + " " + factors[17]);
    assertEquals(32, factors[18]);
  }

  private Path tiny(String format, long seed) throws IOException {
    Path file = folder.resolve(String.format(Locale.ROOT, "tiny-%s-%d.gguf", format, seed));
    model(format, seed).write(file);
    return file;
  }

  private static SyntheticModelFile model(String format, long seed) {
    return new SyntheticModelFile(TINY, FormatMix.byName(format).orElseThrow(), seed);
  }
}
