package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.KernelOptions;
import dev.quern.Operator;
import dev.quern.data.KvFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.Test;

/// The warm-up on the demo model's kernels.
class WarmUpTest {
  private static final long LARGE = 1L << 30;

  private final Map<Operator, Integer> calls = new ConcurrentSkipListMap<>();

  /// Operators and how often each is called: two rotations, attention's append and apply, four
  /// projections (of which Q, K and V are one kernel) and the output matrix.
  @Test
  void everyKernelOfAPromptRuns() throws Exception {
    warmUp(LARGE, this::count);
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
    warmUp(1 << 20, this::count);
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
                    LARGE,
                    operator -> {
                      if (operator == Operator.SWIGLU) {
                        throw broken;
                      }
                    })));
  }

  private void count(Operator operator) {
    calls.merge(operator, 1, Integer::sum);
  }

  /// What is done with an operator's name after a call.
  private interface Heard {
    void call(Operator operator);
  }

  private static void warmUp(long bytes, Heard heard) throws Exception {
    ObservedKernels<Void> observed =
        new ObservedKernels<>(
            new ObservedKernels.Observer<>() {
              @Override
              public Void begin() {
                return null;
              }

              @Override
              public void end(Void begun, Operator operator, int rows) {
                heard.call(operator);
              }
            });
    KernelOptions scalar = KernelOptions.fromSystem().with("quern.provider", "scalar");
    try (LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults().withKernels(scalar));
        WarmUp warmUp = new WarmUp(model.config(), bytes)) {
      warmUp.operators(observed.observed(model.operators()), KvFormat.F16);
      LlamaWeights weights = observed.observed(model.weights());
      warmUp.layer(weights.layers().getFirst());
      warmUp.output(weights.output());
      warmUp.join();
    }
  }
}
