package dev.quern.cli.model;

import dev.quern.cli.console.Console;
import dev.quern.llama.LoadProgress;
import java.io.PrintStream;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Shows how far loading, or other work, is: on a terminal only, and only once it has taken a
/// moment.
///
/// The library would ask JLine for the terminal's width, and JLine asks the terminal itself, whose
/// answers arrive on standard input. So the bar has the width of the narrowest usual terminal.
public final class LoadProgressBar implements LoadProgress, AutoCloseable {
  private static final long PATIENCE_NANOS = 500_000_000L;
  private static final long MIB = 1 << 20;
  private static final int WIDTH = 79;

  private final boolean enabled;
  private final PrintStream out;
  private final String task;
  private final String unit;
  private final long unitSize;
  private final long start = System.nanoTime();
  private ProgressBar bar;

  public LoadProgressBar(Console console) {
    this(console, "loading", " MiB", MIB);
  }

  /// @param task what is done, for people
  /// @param unitSize how much of what [#packed] hears makes a unit
  public LoadProgressBar(Console console, String task, String unit, long unitSize) {
    enabled = console.showsProgress();
    out = console.progress();
    this.task = task;
    this.unit = unit;
    this.unitSize = unitSize;
  }

  /// For work on bytes.
  public static LoadProgressBar ofBytes(Console console, String task) {
    return new LoadProgressBar(console, task, " MiB", MIB);
  }

  @Override
  public void packed(long packedBytes, long totalBytes) {
    if (!enabled) {
      return;
    }
    if (bar == null && System.nanoTime() - start > PATIENCE_NANOS) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(totalBytes)
              .setUnit(unit, unitSize)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new DelegatingProgressBarConsumer(this::show, WIDTH))
              .build();
    }
    if (bar != null) {
      bar.stepTo(packedBytes);
    }
  }

  private void show(String line) {
    out.print("\r" + line);
    out.flush();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      show(" ".repeat(WIDTH) + "\r");
    }
  }
}
