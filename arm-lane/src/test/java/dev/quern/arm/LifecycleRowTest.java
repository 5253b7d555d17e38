package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.StopReason;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.testing.SharedFiles;
import dev.quern.testing.TestWeights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.ObjectName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Models and their native kernels come and go, are shared, cancelled and closed at a bad moment:
/// nothing is left behind, nothing crashes, and errors are clear.
@Tag("arm-stress")
class LifecycleRowTest {
  private static final int WARM_UP = 20;

  /// Bytes that all the loads together may leave: far less than one model.
  private static final long LEFT_BEHIND = 64 << 10;

  private static final String PROMPT = "Once upon a time";

  /// `-Dquern.arm.loads=10000` for as long as one likes.
  @Test
  void loadsLeaveNothingBehind() throws Exception {
    int loads = Integer.getInteger("quern.arm.loads", 200);
    for (int i = 0; i < WARM_UP; i++) {
      loadAndClose();
    }
    Held before = Held.now();
    try (LlamaModel model = load()) {
      long during = Held.countMappings();
      assertTrue(during > before.mappings, "no mapping of the library is seen: " + model);
    }
    for (int i = 0; i < loads; i++) {
      loadAndClose();
    }
    Held after = Held.now();
    System.out.printf(
        Locale.ROOT, "%d loads and unloads:%n  before: %s%n  after: %s%n", loads, before, after);
    long grown = after.arenaBytes - before.arenaBytes;
    assertTrue(
        grown <= LEFT_BEHIND, String.format(Locale.ROOT, "native memory grew by %d bytes", grown));
    assertTrue(after.mappings <= before.mappings, "mappings of the library: " + after);
    long classes = after.classes - before.classes;
    assertTrue(
        classes < loads,
        String.format(Locale.ROOT, "more than a class for each load: %d", classes));
  }

  @Test
  void fourThreadsShareAModel() throws Exception {
    try (LlamaModel model = load();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Integer> alone = generate(model, 12).tokens();
      List<Callable<List<Integer>>> tasks = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        tasks.add(() -> generate(model, 12).tokens());
      }
      for (Future<List<Integer>> f : threads.invokeAll(tasks)) {
        assertEquals(alone, f.get());
      }
    }
  }

  @Test
  void aCancelledGenerationLeavesTheSessionUsable() throws Exception {
    try (LlamaModel model = load();
        LlamaSession session = model.newSession()) {
      AtomicInteger heard = new AtomicInteger();
      Generation cancelled =
          session.generateTokens(
              session.encodePrompt(PROMPT),
              GenerationOptions.greedy(100),
              id -> {
                if (heard.incrementAndGet() == 3) {
                  session.cancel();
                }
                return true;
              });
      assertEquals(StopReason.CANCELLED, cancelled.stop());
      session.rewind(0);
      Generation again =
          session.generateTokens(
              session.encodePrompt(PROMPT), GenerationOptions.greedy(12), id -> true);
      assertEquals(generate(model, 12).tokens(), again.tokens());
    }
  }

  @Test
  void aModelThatIsClosedWaitsForItsGenerations() throws Exception {
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 5; i++) {
        LlamaModel model = load();
        CountDownLatch twoTokens = new CountDownLatch(2);
        LlamaSession session = model.newSession();
        Future<Generation> running =
            thread.submit(() ->
                session.generateTokens(
                    session.encodePrompt(PROMPT),
                    GenerationOptions.greedy(1000).ignoringEnd(),
                    id -> {
                      twoTokens.countDown();
                      return true;
                    }));
        boolean generating = twoTokens.await(1, TimeUnit.MINUTES);
        model.close();
        assertEquals(StopReason.CANCELLED, running.get(1, TimeUnit.MINUTES).stop());
        assertTrue(generating, "two tokens in a minute");
      }
    }
  }

  /// Whoever owns the weights may close them while a worker multiplies: the close is refused during
  /// a native call, and after it the kernel says what happened.
  @Test
  void anArenaThatIsClosedUnderAWorkerIsAnError() throws Exception {
    Kernels kernels = Kernels.load(options());
    try (Arena arena = Arena.ofShared();
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      F32Matrix x = F32Matrix.allocate(arena, 16, 512);
      F32Matrix y = F32Matrix.allocate(arena, 16, 512);
      int refused = 0;
      for (int i = 0; i < 20; i++) {
        Arena weights = Arena.ofShared();
        LinearSpec spec =
            new LinearSpec(BlockFormat.Q4_0, 512, 512, false, Set.copyOf(Numerics.standard()));
        LinearKernel kernel =
            kernels
                .linear(spec)
                .pack(
                    List.of(TestWeights.random(BlockFormat.Q4_0, 512, 512, new Random(i), weights)),
                    weights,
                    Workers.sequential());
        MemorySegment scratch = arena.allocate(Math.max(64, kernel.scratchBytes(16, 1)), 64);
        AtomicInteger calls = new AtomicInteger();
        Future<?> running =
            thread.submit(() -> {
              while (true) {
                kernel.apply(x, y, new Workspace(scratch, Workers.sequential()));
                calls.incrementAndGet();
              }
            });
        while (calls.get() < 3 && !running.isDone()) {
          Thread.onSpinWait();
        }
        refused += close(weights);
        Throwable error =
            assertThrows(ExecutionException.class, () -> running.get(1, TimeUnit.MINUTES))
                .getCause();
        String message = String.valueOf(error.getMessage());
        assertTrue(
            message.contains("closed arena") || message.contains("Already closed"),
            "unclear error: " + error);
      }
      System.out.println("closing was refused during a native call: " + refused + " times");
    }
  }

  /// Closes an arena that others are using: tries until it is not used for a moment.
  private static int close(Arena arena) {
    for (int refused = 0; ; refused++) {
      try {
        arena.close();
        return refused;
      } catch (IllegalStateException e) {
        assertTrue(e.getMessage().contains("acquired"), e.getMessage());
        Thread.onSpinWait();
      }
    }
  }

  private static void loadAndClose() throws IOException {
    try (LlamaModel model = load()) {
      assertTrue(model.report().text().contains("kleidi"));
    }
  }

  private static LlamaModel load() throws IOException {
    return LlamaModel.load(
        SharedFiles.file("models/stories260K-Q4_0.gguf"),
        LoadOptions.defaults().withKernels(options()).withThreads(2).withContext(256));
  }

  private static KernelOptions options() {
    return KernelOptions.fromSystem().withProvider("kleidi,scalar");
  }

  private static Generation generate(LlamaModel model, int tokens) {
    try (LlamaSession session = model.newSession()) {
      return session.generateTokens(
          session.encodePrompt(PROMPT), GenerationOptions.greedy(tokens), id -> true);
    }
  }

  /// What the process holds once what nobody needs is gone.
  ///
  /// @param arenaBytes the category `Other` of the JVM's native memory tracking
  /// @param jvmBytes all categories but the Java heap
  /// @param classes that are loaded; method handles make hidden ones
  /// @param mappings of the library's file
  private record Held(long arenaBytes, long jvmBytes, int classes, long mappings) {
    static Held now() throws Exception {
      for (int i = 0; i < 3; i++) {
        System.gc(); // libraries and packers belong to automatic arenas
        Thread.sleep(200);
      }
      String text =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "vmNativeMemory",
                      new Object[] {new String[] {"summary", "scale=b"}},
                      new String[] {String[].class.getName()});
      return new Held(
          committed(text, "Other \\("),
          committed(text, "Total: ") - committed(text, "Java Heap \\("),
          ManagementFactory.getClassLoadingMXBean().getLoadedClassCount(),
          countMappings());
    }

    private static long committed(String text, String category) {
      Matcher m = Pattern.compile(category + "reserved=\\d+, committed=(\\d+)").matcher(text);
      assertTrue(m.find(), "needs -XX:NativeMemoryTracking=summary: " + text);
      return Long.parseLong(m.group(1));
    }

    static long countMappings() throws IOException {
      try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
        return lines.filter(l -> l.contains("libkleidiai")).count();
      }
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,d bytes in arenas, %,d of the JVM outside its heap, %,d classes, %d mappings of the library",
          arenaBytes,
          jvmBytes,
          classes,
          mappings);
    }
  }
}
