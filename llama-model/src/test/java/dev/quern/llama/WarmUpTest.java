package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.KernelOptions;
import dev.quern.Operator;
import dev.quern.data.KvFormat;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.load.WarmUp;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import dev.quern.llama.observe.ObservedKernels;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The warm-up on the demo model's kernels.
class WarmUpTest {
  @TempDir Path folder;

  private final Map<Operator<?, ?>, Integer> calls = new ConcurrentSkipListMap<>();

  /// Operators and how often each is called: two rotations, attention's append and apply, four
  /// projections (of which Q, K and V are one kernel) and the output matrix.
  @Test
  void everyKernelOfAPromptRuns() throws Exception {
    warmUp(true, this::count);
    assertEquals(
        Map.of(
            Operator.RMSNORM, 1,
            Operator.ROPE, 2,
            Operator.ATTENTION, 2,
            Operator.SWIGLU, 1,
            Operator.LINEAR, 5),
        calls);
  }

  @Test
  void aSmallModelIsLeftAlone() throws Exception {
    warmUp(false, this::count);
    assertEquals(Map.of(), calls);
  }

  @Test
  void whatAKernelThrowsComesOutOfJoin() {
    IllegalStateException broken = new IllegalStateException("broken");
    assertSame(
        broken,
        assertThrows(
            IllegalStateException.class,
            () ->
                warmUp(
                    true,
                    operator -> {
                      if (operator == Operator.SWIGLU) {
                        throw broken;
                      }
                    })));
  }

  /// Operators are made for a context, and scratch is set aside for a batch: what is warmed up
  /// keeps to both, however small.
  @ParameterizedTest
  @CsvSource({"1, 256", "2, 256", "63, 256", "64, 256", "512, 1", "512, 5", "1, 1", "300, 512"})
  void aSmallContextOrBatchIsWarmedUpToo(int context, int batch) throws Exception {
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(KernelOptions.fromSystem().with("quern.provider", "scalar"))
            .withThreads(2)
            .withContext(context)
            .withBatch(batch);
    Surroundings warmingAll =
        new Surroundings(
            OptionalLong::empty, 0, HugePageSystem.THIS_MACHINE, CpuCores::ofThisProcess);
    try (LlamaModel model = LlamaModel.load(demo(), options, warmingAll);
        LlamaSession session = model.newSession()) {
      Generation generation =
          session.generateTokens(new int[] {1}, GenerationOptions.greedy(3), token -> true);
      assertEquals(Math.min(3, context), generation.tokens().size());
    }
  }

  private Path demo() throws IOException {
    Path copy = folder.resolve("demo.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
    }
    return copy;
  }

  private void count(Operator<?, ?> operator) {
    calls.merge(operator, 1, Integer::sum);
  }

  /// What is done with an operator's name after a call.
  private interface Heard {
    void call(Operator<?, ?> operator);
  }

  private static void warmUp(boolean worthwhile, Heard heard) throws Exception {
    ObservedKernels<Void> observed =
        new ObservedKernels<>(
            new ObservedKernels.Observer<>() {
              @Override
              public Void begin() {
                return null;
              }

              @Override
              public void end(Void begun, Operator<?, ?> operator, int rows) {
                heard.call(operator);
              }
            });
    KernelOptions scalar = KernelOptions.fromSystem().with("quern.provider", "scalar");
    try (LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults().withKernels(scalar));
        WarmUp warmUp = new WarmUp(model.config(), 256, worthwhile)) {
      warmUp.operators(observed.observed(model.operators()), KvFormat.F16);
      LlamaWeights weights = observed.observed(model.weights());
      warmUp.layer(weights.layers().getFirst());
      warmUp.output(weights.output());
      warmUp.join();
    }
  }
}
