package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.data.KvFormat;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.PromptException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EmbedderTest {
  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(options());
  }

  private static LoadOptions options() {
    return InvariantScalar.options().withKv(KvFormat.F32);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void vectorsAreLlamaCpps(Pooling pooling) throws IOException {
    JsonNode reference;
    try (InputStream json = EmbedderTest.class.getResourceAsStream("demo.embeddings.json")) {
      reference = new ObjectMapper().readTree(json);
    }
    JsonNode expected = reference.get(pooling.name().toLowerCase(Locale.ROOT));
    try (Embedder embedder = model.newEmbedder()) {
      float[] vector = embedder.embed(reference.get("text").asText(), pooling);
      assertEquals(expected.size(), vector.length);
      double[] theirs = new double[vector.length];
      double squares = 0;
      for (int i = 0; i < vector.length; i++) {
        theirs[i] = expected.get(i).asDouble();
        squares += (double) vector[i] * vector[i];
      }
      assertEquals(1, squares, 1e-6);
      double nmse = ReferenceLogits.nmse(vector, theirs);
      assertTrue(nmse < 1e-7, "NMSE " + nmse); // they compute F16 weights a little differently
    }
  }

  /// A text in several batches, and after others, gives what it gives alone in one.
  @ParameterizedTest
  @EnumSource(Pooling.class)
  void batchesAndNeighboursChangeNothing(Pooling pooling) throws IOException {
    Random random = new Random(3);
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      texts.add(random.ints(1 + random.nextInt(60), 3, 500).toArray());
    }
    try (LlamaModel small = LlamaModel.loadDemo(options().withBatch(7));
        Embedder inParts = small.newEmbedder()) {
      for (int[] text : texts) {
        try (Embedder alone = model.newEmbedder()) {
          assertArrayEquals(alone.embed(text, pooling), inParts.embed(text, pooling));
        }
      }
    }
  }

  @Test
  void anyThreadMayCall() throws Exception {
    int[] one = new Random(1).ints(30, 3, 500).toArray();
    int[] two = new Random(2).ints(40, 3, 500).toArray();
    try (Embedder embedder = model.newEmbedder();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<float[]> alone = List.of(vector(embedder, one), vector(embedder, two));
      List<Future<float[]>> many = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        int[] text = i % 2 == 0 ? one : two;
        many.add(threads.submit(() -> vector(embedder, text)));
      }
      for (int i = 0; i < many.size(); i++) {
        assertArrayEquals(alone.get(i % 2), many.get(i).get());
      }
    }
  }

  private static float[] vector(Embedder embedder, int[] text) {
    return embedder.embed(text, Pooling.MEAN);
  }

  @Test
  void whatCannotBeEmbeddedIsRefused() throws IOException {
    Embedder embedder = model.newEmbedder();
    assertThrows(PromptException.class, () -> embedder.embed(new int[0], Pooling.LAST));
    int[] tooLong = new int[model.context() + 1];
    assertThrows(PromptException.class, () -> embedder.embed(tooLong, Pooling.LAST));
    assertThrows(LlamaException.class, () -> embedder.embed(new int[] {512}, Pooling.MEAN));
    embedder.close();
    embedder.close();
    assertThrows(IllegalStateException.class, () -> embedder.embed("Nora", Pooling.MEAN));
    LlamaModel closed = LlamaModel.loadDemo(options());
    Embedder open = closed.newEmbedder();
    closed.close();
    assertThrows(IllegalStateException.class, () -> open.embed("Nora", Pooling.MEAN));
    assertThrows(IllegalStateException.class, closed::newEmbedder);
  }
}
