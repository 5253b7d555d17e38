package dev.quern.provider.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
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
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Variant;
import dev.quern.testing.LeftOut.Asked;
import dev.quern.testing.SharedFiles;
import dev.quern.testing.TestWeights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Kernels and models come and go, are shared and closed at a bad moment: no code is left behind,
/// none runs on memory that is closed, and errors are clear.
class LifecycleTest {
  private static final String PROMPT = "Once upon a time";

  /// Bytes that all the loads together may leave, of code and of what the JVM makes for a call.
  private static final long LEFT_BEHIND = 1 << 20;

  /// Mappings of code that wait for the collector, at most; the system gives a process 65,530. Some
  /// hundred are usual where heaps are large and collections rare.
  private static final int MOST_MAPPINGS = 5_000;

  @BeforeAll
  static void needsACpu() throws Exception {
    if (CpuRow.best(Host.features()).isEmpty()) {
      Host.leftOut("this CPU has no AVX2: " + CpuRow.AVX2.lacking(Host.features()));
    }
  }

  /// Kernels of all that the provider offers, from a provider of their own each time, as for a
  /// model. `-Dquern.full=true` has the ten thousand of a server that changes models for a year.
  @Test
  void loadsLeaveNothingBehind() throws Exception {
    int loads = Asked.FULL.yes() ? 10_000 : 300;
    for (int i = 0; i < 20; i++) {
      useOnce();
    }
    Held before = Held.now();
    int most = 0;
    for (int i = 0; i < loads; i++) {
      useOnce();
      if (i % 100 == 0) {
        most = Math.max(most, Held.countMappings());
      }
    }
    Held after = Held.now();
    System.out.printf(
        Locale.ROOT,
        "%d loads and closes: %s before, %s after, at most %d mappings of code meanwhile%n",
        loads,
        before,
        after,
        most);
    assertTrue(after.mappings <= before.mappings, "mappings of code: " + after);
    assertTrue(most <= before.mappings + MOST_MAPPINGS, "too many mappings at a time: " + most);
    assertTrue(after.addressBytes - before.addressBytes <= LEFT_BEHIND, after.toString());
    assertTrue(after.classes - before.classes < 50, "a class for each: " + after);
  }

  private static void useOnce() {
    Kernels kernels = Kernels.load(options());
    try (Arena arena = Arena.ofShared()) {
      for (BlockFormat format : List.of(BlockFormat.Q4_0, BlockFormat.Q6_K, BlockFormat.INT8_C)) {
        LinearKernel kernel = pack(kernels, format, 16, 256, arena);
        F32Matrix x = F32Matrix.allocate(arena, 2, 256);
        F32Matrix y = F32Matrix.allocate(arena, 2, 16);
        kernel.apply(x, y, workspace(kernel, 2, arena));
      }
    }
  }

  /// The collector takes the code when nobody holds a kernel.
  @Test
  void codeGoesWithTheLastKernel() throws Exception {
    Held before = Held.now();
    holdAKernel(before);
    Held after = Held.now();
    assertTrue(after.mappings <= before.mappings, before + ", now " + after);
  }

  /// The provider is gone, the kernel is not, and can be called.
  private static void holdAKernel(Held before) throws Exception {
    try (Arena arena = Arena.ofShared()) {
      LinearKernel kernel = pack(Kernels.load(options()), BlockFormat.Q5_K, 16, 256, arena);
      Held during = Held.now();
      assertTrue(during.mappings > before.mappings, before + ", with a kernel " + during);
      F32Matrix x = F32Matrix.allocate(arena, 1, 256);
      F32Matrix y = F32Matrix.allocate(arena, 1, 16);
      kernel.apply(x, y, workspace(kernel, 1, arena));
    }
  }

  /// Two models of one process have the same code.
  @Test
  void codeIsShared() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      Kernels first = Kernels.load(options());
      LinearKernel kernel = pack(first, BlockFormat.Q5_1, 16, 256, arena);
      int mappings = Held.countMappings();
      Kernels second = Kernels.load(options());
      LinearKernel other = pack(second, BlockFormat.Q5_1, 16, 256, arena);
      assertEquals(mappings, Held.countMappings(), "mappings of code");
      assertTrue(kernel != other && first != second);
    }
  }

  /// Each set is of its own platform: another that is opened changes nothing of it, nor one that
  /// can't be.
  @Test
  void setsOfTwoPlatformsAreOpenAtOnce() {
    X86Provider provider = new X86Provider();
    Platform here = options().providersPlatform();
    Platform masked = on(here, CpuRow.AVX2.needs());
    try (KernelSet best = ready(provider, here);
        KernelSet avx2 = ready(provider, masked)) {
      assertInstanceOf(Availability.Unavailable.class, provider.open(on(here, Set.of())));
      List<Variant> variants = variants(best);
      assertEquals(variants(ready(new X86Provider(), here)), variants);
      assertEquals(variants(ready(new X86Provider(), masked)), variants(avx2));
      assertEquals(
          CpuRow.best(here.cpuFeatures()).orElseThrow().equals(CpuRow.AVX2),
          variants.equals(variants(avx2)));
    }
  }

  private static Platform on(Platform here, Set<String> features) {
    return new Platform(
        here.os(), here.arch(), features, here.jit(), here.modules(), here.properties());
  }

  private static KernelSet ready(X86Provider provider, Platform platform) {
    return assertInstanceOf(Availability.Ready.class, provider.open(platform)).kernels();
  }

  private static List<Variant> variants(KernelSet kernels) {
    Offer<LinearPacker> offer = kernels.linear(spec(BlockFormat.Q8_0, 16, 64));
    return ((Offer.Accepted<LinearPacker>) offer).variants();
  }

  @Test
  void eightThreadsShareAKernel() throws Exception {
    try (Arena arena = Arena.ofShared();
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      LinearKernel kernel = pack(Kernels.load(options()), BlockFormat.Q4_K, 53, 512, arena);
      List<Callable<Integer>> tasks = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int rows = 1 + t;
        tasks.add(() -> {
          F32Matrix x = F32Matrix.allocate(arena, rows, 512);
          F32Matrix y = F32Matrix.allocate(arena, rows, 53);
          Random random = new Random(5); // the first rows are the same for all
          for (int i = 0; i < rows * 512; i++) {
            x.set(i / 512, i % 512, (float) random.nextGaussian());
          }
          Workspace w = workspace(kernel, rows, arena);
          int row = 0;
          for (int i = 0; i < 500; i++) {
            y.data().fill((byte) -1);
            kernel.apply(x, y, w);
            int hash = Arrays.hashCode(y.data().asSlice(0, 53 * 4).toArray(JAVA_FLOAT));
            assertTrue(i == 0 || hash == row, "another result");
            row = hash;
          }
          return row;
        });
      }
      List<Integer> rows = new ArrayList<>();
      for (Future<Integer> f : threads.invokeAll(tasks)) {
        rows.add(f.get());
      }
      assertEquals(1, Set.copyOf(rows).size(), "row 0 of eight batches: " + rows);
    }
  }

  @Test
  void eightThreadsShareAModel() throws Exception {
    try (LlamaModel model = load();
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Integer> alone = generate(model, 12).tokens();
      List<Callable<List<Integer>>> tasks = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        tasks.add(() -> generate(model, 12).tokens());
      }
      for (Future<List<Integer>> f : threads.invokeAll(tasks)) {
        assertEquals(alone, f.get());
      }
    }
  }

  @Test
  void aModelThatIsClosedWaitsForItsGenerations() throws Exception {
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 3; i++) {
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

  /// A kernel whose weights are closed does not run: y stays as it was. The façade says so, and
  /// where there is none the kernel itself.
  @Test
  void aClosedKernelIsRefused() {
    assertEquals(
        "linear: the memory of the weights is in a closed arena, expected memory that lives for the"
            + " whole call",
        refusal(Kernels.load(options()).linear(spec(BlockFormat.Q8_0, 16, 64)))
            .replaceAll(" \\(spec .*", ""));
    Availability bare = new X86Provider().open(options().providersPlatform());
    try (KernelSet kernels = ((Availability.Ready) bare).kernels()) {
      Offer<LinearPacker> offer = kernels.linear(spec(BlockFormat.Q8_0, 16, 64));
      assertEquals("Already closed", refusal(((Offer.Accepted<LinearPacker>) offer).kernel()));
    }
  }

  private static String refusal(LinearPacker packer) {
    try (Arena arena = Arena.ofShared()) {
      Arena weights = Arena.ofShared();
      LinearKernel kernel = pack(packer, BlockFormat.Q8_0, 16, 64, weights);
      F32Matrix x = F32Matrix.allocate(arena, 1, 64);
      F32Matrix y = F32Matrix.allocate(arena, 1, 16);
      y.data().fill((byte) 7);
      Workspace w = workspace(kernel, 1, arena);
      weights.close();
      RuntimeException e = assertThrows(RuntimeException.class, () -> kernel.apply(x, y, w));
      for (byte b : y.data().toArray(JAVA_BYTE)) {
        assertEquals(7, b);
      }
      return e.getMessage();
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
      for (int i = 0; i < 20; i++) {
        Arena weights = Arena.ofShared();
        LinearKernel kernel = pack(kernels, BlockFormat.Q4_0, 512, 512, weights);
        Workspace w = workspace(kernel, 16, arena);
        AtomicInteger calls = new AtomicInteger();
        Future<?> running =
            thread.submit(() -> {
              while (true) {
                kernel.apply(x, y, w);
                calls.incrementAndGet();
              }
            });
        while (calls.get() < 3 && !running.isDone()) {
          Thread.onSpinWait();
        }
        close(weights);
        Throwable error =
            assertThrows(ExecutionException.class, () -> running.get(1, TimeUnit.MINUTES))
                .getCause();
        String message = String.valueOf(error.getMessage());
        assertTrue(
            message.contains("closed arena") || message.contains("Already closed"),
            "unclear error: " + error);
      }
    }
  }

  /// Closes an arena that others are using: tries until it is not used for a moment.
  private static void close(Arena arena) {
    while (true) {
      try {
        arena.close();
        return;
      } catch (IllegalStateException e) {
        assertTrue(e.getMessage().contains("acquired"), e.getMessage());
        Thread.onSpinWait();
      }
    }
  }

  private static LinearSpec spec(BlockFormat format, int outputs, int inputs) {
    return new LinearSpec(format, outputs, inputs, false, Set.copyOf(Numerics.standard()));
  }

  private static LinearKernel pack(
      Kernels kernels, BlockFormat format, int outputs, int inputs, Arena arena) {
    return pack(kernels.linear(spec(format, outputs, inputs)), format, outputs, inputs, arena);
  }

  private static LinearKernel pack(
      LinearPacker packer, BlockFormat format, int outputs, int inputs, Arena arena) {
    return packer.pack(
        List.of(TestWeights.random(format, outputs, inputs, new Random(3), arena)),
        arena,
        Workers.sequential());
  }

  private static Workspace workspace(LinearKernel kernel, int rows, Arena arena) {
    MemorySegment scratch = arena.allocate(Math.max(64, kernel.scratchBytes(rows, 1)), 64);
    return new Workspace(scratch, Workers.sequential());
  }

  private static LlamaModel load() throws IOException {
    return LlamaModel.load(
        SharedFiles.file("models/stories260K-Q4_0.gguf"),
        LoadOptions.defaults().withKernels(options()).withThreads(2).withContext(256));
  }

  private static KernelOptions options() {
    return KernelOptions.fromSystem().withProvider("x86,scalar");
  }

  private static Generation generate(LlamaModel model, int tokens) {
    try (LlamaSession session = model.newSession()) {
      return session.generateTokens(
          session.encodePrompt(PROMPT), GenerationOptions.greedy(tokens), id -> true);
    }
  }

  /// What the process holds once what nobody needs is gone.
  ///
  /// @param mappings of anonymous memory that can be executed: our code, and the JVM's
  /// @param addressBytes of all such mappings
  /// @param classes that are loaded; method handles make hidden ones
  private record Held(int mappings, long addressBytes, int classes) {
    static Held now() throws Exception {
      for (int i = 0; i < 3; i++) {
        System.gc(); // code belongs to automatic arenas
        Thread.sleep(100);
      }
      return new Held(
          countMappings(),
          code().stream().mapToLong(Held::bytes).sum(),
          ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
    }

    static int countMappings() throws IOException {
      return code().size();
    }

    /// `7f12a000-7f12b000 r-xp 00000000 00:00 0`: not writable, unlike the JVM's own code.
    private static List<String> code() throws IOException {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(l -> l.contains(" r-xp 00000000 00:00 0") && !l.contains("["))
          .toList();
    }

    private static long bytes(String mapping) {
      String[] range = mapping.substring(0, mapping.indexOf(' ')).split("-");
      return Long.parseLong(range[1], 16) - Long.parseLong(range[0], 16);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d mappings of code, %,d bytes, %,d classes",
          mappings,
          addressBytes,
          classes);
    }
  }
}
