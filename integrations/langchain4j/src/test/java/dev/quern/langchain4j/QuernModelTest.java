package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.QuernException;
import dev.quern.SelectionException;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.gguf.GgufException;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class QuernModelTest {
  @TempDir Path folder;

  @Test
  @SuppressWarnings("try") // it is closed twice
  void oneModelIsSharedAndOutlivesWhatIsBuiltOnIt() throws IOException {
    Path file = folder.resolve("stories.gguf");
    Files.copy(DemoModelFile.open(), file);
    try (QuernModel shared = QuernModel.builder().modelPath(file).provider("scalar").build()) {
      assertEquals("stories", shared.name());
      shared.report().assertNoFallback("scalar");
      try (QuernChatModel chat = QuernChatModel.builder().model(shared).maxTokens(1).build();
          QuernStreamingChatModel streaming =
              QuernStreamingChatModel.builder().model(shared).build();
          QuernEmbeddingModel embeddings = QuernEmbeddingModel.builder().model(shared).build()) {
        assertSame(shared, chat.model());
        assertSame(shared, streaming.model());
        assertSame(shared, embeddings.model());
        chat.chat("Once");
      }
      assertArrayEquals(
          QuernEmbeddingModel.builder().model(shared).build().embed("cat").content().vector(),
          QuernEmbeddingModel.builder().model(shared).build().embed("cat").content().vector());
      assertEquals(1, shared.metrics().ended());
      shared.close();
      assertThrows(IllegalStateException.class, shared.llama()::newSession);
    } // closing again does nothing
  }

  @Test
  void aModelOfItsOwnIsClosedWithIt() {
    QuernChatModel chat = QuernChatModel.builder().demo().modelName("mine").build();
    assertEquals("mine", chat.model().name());
    assertEquals("mine", chat.defaultRequestParameters().modelName());
    chat.close();
    assertThrows(IllegalStateException.class, chat.model().llama()::newSession);
    assertThrows(IllegalStateException.class, () -> chat.chat("Once"));
  }

  @Test
  void whatBuildersRefuse() {
    assertEquals(
        "builder: no model, expected modelPath(file or folder) or demo()",
        failure(IllegalArgumentException.class, () -> QuernChatModel.builder().build()));
    assertEquals(
        "builder: both modelPath and demo, expected modelPath(file or folder) or demo()",
        failure(
            IllegalArgumentException.class,
            () -> QuernModel.builder().modelPath(folder).demo().build()));
    try (QuernModel shared = QuernModel.builder().demo().build()) {
      assertTrue(
          failure(
                  IllegalArgumentException.class,
                  () -> QuernEmbeddingModel.builder().model(shared).threads(1).build())
              .contains("expected one of both"));
    }
    Path none = folder.resolve("none.gguf");
    assertTrue(
        failure(GgufException.class, () -> QuernChatModel.builder().modelPath(none).build())
            .contains(none.toString()));
    Path empty = folder;
    assertTrue(
        failure(QuernException.class, () -> QuernChatModel.builder().modelPath(empty).build())
            .startsWith(folder.toString()));
  }

  /// As on a JVM that was started without the flag that the vector provider needs.
  @Test
  void aForbiddenFallbackFailsTheStart() {
    Platform here = KernelOptions.fromSystem().platform();
    Platform without =
        new Platform(
            here.os(), here.arch(), here.cpuFeatures(), here.jit(), Set.of("java.base"), Map.of());
    KernelOptions kernels =
        new KernelOptions(Map.of(), without, Thread.currentThread().getContextClassLoader());
    QuernModel.Builder builder =
        QuernModel.builder()
            .demo()
            .loadOptions(LoadOptions.defaults().withKernels(kernels))
            .provider("vector?,scalar");
    builder.build().close();
    String message =
        failure(
            SelectionException.class,
            () -> builder.assertNoFallback("linear", "attention").build());
    assertTrue(
        message.startsWith("quern.assert-no-fallback=linear,attention: scalar would run "),
        message);
    assertTrue(message.contains("vector: unavailable: "), message);
    assertTrue(message.contains("--add-modules jdk.incubator.vector"), message);
  }

  @Test
  void settingsOfLoadingAndOfTheEngineReachThem() {
    try (QuernModel model =
        QuernModel.builder()
            .demo()
            .loadOptions(LoadOptions.defaults().withBatch(7))
            .threads(1)
            .context(64)
            .provider("vector?,scalar")
            .build()) {
      assertEquals(64, model.llama().context());
      assertEquals(1, model.llama().threads());
      assertTrue(model.report().text().contains("quern.provider=vector?,scalar"));
      assertFalse(model.report().choices().isEmpty());
    }
  }

  private static <T extends Throwable> String failure(Class<T> type, Executable action) {
    return assertThrows(type, action).getMessage();
  }
}
