package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A step of the sampler makes no garbage, whatever is asked of it.
class SamplerAllocationTest {
  private static final int STEPS = 200;

  @Test
  void noStepAllocates() {
    SamplingOptions all =
        new SamplingOptions(0.8, 40, 0.95, 0.05, 1.1, 16, 1)
            .withPenalties(0.5, 0.5)
            .withTypicalP(0.9)
            .withLogitBias(Map.of(3, -1.0, 400, Double.NEGATIVE_INFINITY));
    for (SamplingOptions options :
        new SamplingOptions[] {SamplingOptions.GREEDY, SamplingOptions.standard(1), all}) {
      Sampler sampler = new Sampler(options, 500);
      float[] logits = new float[500];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = i * 7919 % 500 / 100f;
      }
      long least = Long.MAX_VALUE; // the JVM's own may come between
      for (int round = 0; round < 20; round++) {
        least = Math.min(least, bytes(sampler, logits));
      }
      assertTrue(least < STEPS, options + ": " + least + " bytes in " + STEPS + " steps");
    }
  }

  private static long bytes(Sampler sampler, float[] logits) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < STEPS; i++) {
      sampler.next(logits);
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
