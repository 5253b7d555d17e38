package dev.quern.cli;

import dev.quern.llama.LoadProgress;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Shows how far loading is: on a terminal only, and only once it has taken a moment.
final class LoadProgressBar implements LoadProgress, AutoCloseable {
  private static final long PATIENCE_NANOS = 500_000_000L;
  private static final long MIB = 1 << 20;

  private final boolean enabled;
  private final long start = System.nanoTime();
  private ProgressBar bar;

  LoadProgressBar(Console console) {
    enabled = console.interactive();
  }

  @Override
  public void packed(long packedBytes, long totalBytes) {
    if (!enabled) {
      return;
    }
    if (bar == null && System.nanoTime() - start > PATIENCE_NANOS) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("loading")
              .setInitialMax(totalBytes)
              .setUnit(" MiB", MIB)
              .setStyle(ProgressBarStyle.ASCII)
              .clearDisplayOnFinish()
              .build();
    }
    if (bar != null) {
      bar.stepTo(packedBytes);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
