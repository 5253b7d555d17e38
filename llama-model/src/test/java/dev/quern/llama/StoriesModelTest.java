package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.KvFormat;
import dev.quern.testing.SharedFiles;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A trained model: its text and logits against llama2.c and llama.cpp.
class StoriesModelTest {
  private static final LoadOptions OPTIONS = LoadOptions.defaults().withThreads(2);

  @Test
  void printsTheTextThatTwoOtherEnginesPrint() throws Exception {
    Path file = SharedFiles.file("models/stories260K.gguf");
    String expected = Files.readString(SharedFiles.file("models/stories260K.expected.txt"));
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      Generation generation = session.generate("", GenerationOptions.greedy(200), text::append);
      assertEquals(200, generation.tokens().size());
      assertEquals(StopReason.MAX_TOKENS, generation.stop());
    }
    assertEquals(expected, text.toString());
  }

  @Test
  void logitsAgreeWithLlama2c() throws Exception {
    Path file = SharedFiles.file("models/stories260K.gguf");
    ReferenceLogits reference;
    try (InputStream in =
        Files.newInputStream(SharedFiles.file("models/stories260K.reference.json"))) {
      reference = ReferenceLogits.read(in, null);
    }
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel model = LlamaModel.load(file, OPTIONS.withKv(KvFormat.F32));
        LlamaSession session = model.newSession()) {
      session.evaluate(reference.tokens(), logits::add);
    }
    assertEquals(3, reference.logits().size());
    reference
        .logits()
        .forEach((position, expected) -> {
          double difference = ReferenceLogits.largestDifference(logits.get(position), expected);
          assertTrue(
              difference < 2e-4,
              String.format(Locale.ROOT, "position %d: %g", position, difference));
        });
  }

  /// Greedy text of a quantized copy need not be that of the original, but it is a story: English
  /// words, whole sentences, and for the finer format the same beginning.
  @ParameterizedTest
  @ValueSource(strings = {"Q4_0", "Q8_0"})
  void quantizedCopiesTellStories(String format) throws Exception {
    Path file = SharedFiles.file("models/stories260K-" + format + ".gguf");
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      session.generate("", GenerationOptions.greedy(150), text::append);
    }
    assertTrue(text.toString().startsWith("Once upon a time, there was a"), text.toString());
    long known =
        Arrays.stream(text.toString().toLowerCase(Locale.ROOT).split("[^a-z']+"))
            .filter(
                List.of(
                        "a", "and", "the", "to", "was", "she", "he", "it", "her", "his", "in",
                        "play", "with", "said", "mom", "lily", "day", "big", "they")
                    ::contains)
            .count();
    assertTrue(known > 20, text.toString());
  }
}
