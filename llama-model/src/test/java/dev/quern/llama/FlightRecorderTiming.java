package dev.quern.llama;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.observe.FlightRecorder;
import dev.quern.op.SwiGluKernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import jdk.jfr.Recording;

/// What the events of [FlightRecorder] cost; not a test, run its `main` (docs/profiling.md):
///
/// ```
/// FlightRecorderTiming MODEL TOKENS ROUNDS    decoding, with and without a recording, in turn
/// FlightRecorderTiming                        a call of a kernel that does nothing
/// ```
///
/// All ways alternate in one process, in turned order every second round, so that what drifts hits
/// them alike.
final class FlightRecorderTiming {
  private static final int CALLS = 20_000_000;

  private static final int WARMUPS = 4;

  private FlightRecorderTiming() {}

  public static void main(String[] args) throws IOException {
    if (args.length == 0) {
      calls();
    } else {
      decoding(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    }
  }

  /// Whether events are recorded.
  private enum Mode {
    OFF,
    ON;

    double seconds(DoubleSupplier work) {
      if (this == OFF) {
        return work.getAsDouble();
      }
      try (Recording recording = new Recording()) {
        for (String event : new String[] {"KernelCall", "ForwardPass", "Token"}) {
          recording.enable("dev.quern." + event);
        }
        recording.start();
        double seconds = work.getAsDouble();
        recording.stop();
        return seconds;
      }
    }
  }

  private static void decoding(Path file, int tokens, int rounds) throws IOException {
    Mode[] modes = Mode.values();
    double[][] samples = new double[modes.length][rounds];
    try (LlamaModel model = LlamaModel.load(file);
        LlamaSession session = model.newSession()) {
      for (int round = -WARMUPS; round < rounds; round++) {
        for (int turn = 0; turn < modes.length; turn++) {
          Mode mode = modes[Math.floorMod(round % 2 == 0 ? turn : -1 - turn, modes.length)];
          double seconds = mode.seconds(() -> seconds(session, tokens));
          if (round >= 0) {
            samples[mode.ordinal()][round] = seconds;
          }
        }
      }
      System.out.println(model.report().summary());
    }
    System.out.printf(
        Locale.ROOT, "%s, %d tokens, %d rounds%n", file.getFileName(), tokens, rounds);
    for (Mode mode : modes) {
      double[] ratios = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        ratios[i] = samples[mode.ordinal()][i] / samples[0][i];
      }
      System.out.printf(
          Locale.ROOT,
          "%-3s us a token: median %.2f, least %.2f; ratio to OFF of the same round: median %.4f, quartiles %.4f to %.4f%n",
          mode,
          quantile(samples[mode.ordinal()], 0.5) / tokens * 1e6,
          quantile(samples[mode.ordinal()], 0) / tokens * 1e6,
          quantile(ratios, 0.5),
          quantile(ratios, 0.25),
          quantile(ratios, 0.75));
    }
  }

  private static double seconds(LlamaSession session, int tokens) {
    session.rewind(0);
    GenerationOptions options = GenerationOptions.greedy(tokens).ignoringEnd();
    return session.generateTokens(new int[] {1}, options, _ -> true).decodeSeconds();
  }

  private static void calls() {
    SwiGluKernel nothing =
        new SwiGluKernel() {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return 0;
          }

          @Override
          public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {}
        };
    SwiGluKernel observed =
        FlightRecorder.KERNELS
            .observed(new ForwardPass.Operators(null, Optional.empty(), null, null, null, nothing))
            .swiGlu();
    F32Matrix y = F32Matrix.allocate(Arena.global(), 1, 16);
    for (int i = 0; i < 5; i++) {
      double bare = nanos(nothing, y);
      double off = nanos(observed, y);
      double on = Mode.ON.seconds(() -> nanos(observed, y));
      System.out.printf(
          Locale.ROOT, "ns a call: bare %.2f, events off %.2f, on %.2f%n", bare, off, on);
    }
  }

  private static double nanos(SwiGluKernel kernel, F32Matrix y) {
    long start = System.nanoTime();
    for (int i = 0; i < CALLS; i++) {
      kernel.apply(y, y, y, null);
    }
    return (double) (System.nanoTime() - start) / CALLS;
  }

  private static double quantile(double[] samples, double share) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
