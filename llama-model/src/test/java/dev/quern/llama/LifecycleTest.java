package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// From load to close, whoever closes and whatever fails between: nothing stays behind.
@Timeout(120)
class LifecycleTest {
  private static final Path MAPS = Path.of("/proc/self/maps");
  private static final LoadOptions OPTIONS =
      LoadOptions.defaults()
          .withThreads(3)
          .withKernels(KernelOptions.fromSystem().withProvider("scalar"));

  @TempDir Path folder;
  private Path file;
  private long threadsBefore;

  @BeforeEach
  void count() throws IOException {
    file = new SyntheticModel().write(folder.resolve("model.gguf"));
    threadsBefore = threads();
  }

  /// The scalar provider reads weights where they are mapped, so that there is what could leak.
  @AfterEach
  void nothingIsLeft() throws InterruptedException, IOException {
    await(() -> threads() <= threadsBefore); // closing does not wait for idle threads to end
    assertEquals(0, mappings());
  }

  @Test
  void closingInACallbackIsRefusedAndLeavesEverythingClosable() throws IOException {
    for (int i = 0; i < 100; i++) {
      LlamaModel model = LlamaModel.load(file, OPTIONS);
      LlamaSession session = model.newSession();
      IllegalStateException refused =
          assertThrows(
              IllegalStateException.class,
              () ->
                  session.generateTokens(
                      new int[] {1},
                      GenerationOptions.greedy(3),
                      token -> {
                        model.close();
                        return true;
                      }));
      assertTrue(refused.getMessage().startsWith("model: close() inside"), refused.getMessage());
      assertEquals(
          3,
          session
              .generateTokens(new int[0], GenerationOptions.greedy(3), t -> true)
              .tokens()
              .size()); // both go on
      model.close();
    }
  }

  /// From the callback of an evaluation, and of another session than the first.
  @Test
  @SuppressWarnings("try") // resources are closed explicitly: that is what is asked
  void closingInAnyCallbackIsRefused() throws IOException {
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession idle = model.newSession();
        LlamaSession session = model.newSession()) {
      assertEquals(0, idle.position());
      assertThrows(
          IllegalStateException.class,
          () -> session.evaluate(new int[] {1}, logits -> model.close()));
      assertThrows(
          IllegalStateException.class,
          () -> session.evaluate(new int[] {1}, logits -> session.close()));
      session.evaluate(new int[] {1}, logits -> idle.close());
    }
  }

  @Test
  void afterCloseEverythingSaysSo() throws IOException {
    LlamaModel model = LlamaModel.load(file, OPTIONS);
    LlamaSession session = model.newSession();
    LlamaSession closed = model.newSession();
    closed.close();
    String message = assertThrows(IllegalStateException.class, () -> closed.rewind(0)).getMessage();
    assertEquals("session: closed", message);
    model.close();
    model.close();
    session.close();
    for (LlamaSession s : List.of(session, closed)) {
      message =
          assertThrows(
                  IllegalStateException.class,
                  () -> s.generate("Hi", GenerationOptions.greedy(1), t -> {}))
              .getMessage();
      assertEquals("the model is closed", message);
    }
    message = assertThrows(IllegalStateException.class, model::newSession).getMessage();
    assertEquals("the model is closed", message);
  }

  /// Sessions are opened and used while two threads close the model.
  @Test
  void closingWhileSessionsAreOpened() throws Exception {
    for (int round = 0; round < 40; round++) {
      LlamaModel model = LlamaModel.load(file, OPTIONS);
      List<String> messages = Collections.synchronizedList(new ArrayList<>());
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        threads.add(Thread.ofPlatform().start(() -> messages.add(useUntilClosed(model))));
      }
      for (int i = 0; i < 2; i++) {
        threads.add(Thread.ofPlatform().start(model::close));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(
          List.of(), messages.stream().filter(m -> !m.equals("the model is closed")).toList());
      assertEquals(0, mappings());
    }
  }

  private static String useUntilClosed(LlamaModel model) {
    try {
      while (true) {
        LlamaSession session = model.newSession();
        session.evaluate(new int[] {1, 2, 3}, logits -> {});
        session.generateTokens(new int[] {1}, GenerationOptions.greedy(20), token -> true);
      }
    } catch (IllegalStateException e) {
      return e.getMessage();
    } catch (RuntimeException | Error e) {
      return e.toString();
    }
  }

  @Test
  void aLoadThatIsInterruptedOrFailsReleasesAll() {
    IllegalStateException stop = new IllegalStateException("stop");
    LoadOptions failing =
        OPTIONS.withProgress((packed, total) -> {
          throw stop;
        });
    for (int i = 0; i < 5; i++) {
      assertEquals(
          stop, assertThrows(IllegalStateException.class, () -> LlamaModel.load(file, failing)));
    }
    LoadOptions interrupted =
        OPTIONS.withProgress((packed, total) -> Thread.currentThread().interrupt());
    assertThrows(IOException.class, () -> LlamaModel.load(file, interrupted));
    assertTrue(Thread.interrupted());
  }

  /// The kernel takes the pages of a file that is cut away: SIGBUS, in whatever thread reads them.
  @Test
  void aFileThatIsCutWhileInUseIsSaidInOneLine() throws IOException {
    try (LlamaModel model = LlamaModel.load(file, OPTIONS);
        LlamaSession session = model.newSession()) {
      session.evaluate(new int[] {1}, logits -> {});
      int position = session.position();
      cut();
      String message =
          assertThrows(LlamaException.class, () -> session.evaluate(new int[] {200}, l -> {}))
              .getMessage();
      assertTrue(message.startsWith(file + ": a part of it can't be read any more"), message);
      assertEquals(position, session.position());
    }
  }

  @Test
  void aFileThatIsCutWhileItLoadsIsSaidInOneLine() throws IOException {
    boolean[] cut = new boolean[1];
    LoadOptions options =
        OPTIONS.withProgress((packed, total) -> {
          if (!cut[0]) {
            cut();
            cut[0] = true;
          }
        });
    RuntimeException failure =
        assertThrows(RuntimeException.class, () -> LlamaModel.load(file, options));
    assertTrue(failure.getMessage().startsWith(file.toString()), failure.toString());
    assertEquals(1, failure.getMessage().lines().count());
  }

  @Test
  void anEpsilonThatF32CantHoldIsRefused() throws IOException {
    for (double epsilon : new double[] {1e300, 1e-300}) {
      Path other =
          new SyntheticModel()
              .with("llama.attention.layer_norm_rms_epsilon", epsilon)
              .write(folder.resolve("epsilon.gguf"));
      String message =
          assertThrows(LlamaException.class, () -> LlamaModel.load(other, OPTIONS)).getMessage();
      assertTrue(message.contains("epsilon"), message);
    }
  }

  private void cut() {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("quern-"))
        .count();
  }

  /// Of the model's file; 0 also where the system does not tell.
  private long mappings() throws IOException {
    if (!Files.isReadable(MAPS)) {
      System.err.println("mappings are not counted: there is no " + MAPS);
      return 0;
    }
    try (Stream<String> lines = Files.lines(MAPS)) {
      return lines.filter(l -> l.contains(folder.toString())).count();
    }
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) { // the test's own limit ends it
      Thread.sleep(5);
    }
    assertFalse(Thread.currentThread().isInterrupted());
  }
}
