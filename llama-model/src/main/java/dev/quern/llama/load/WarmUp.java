package dev.quern.llama.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.forward.Projection;
import dev.quern.llama.forward.RopeTable;
import dev.quern.op.AttentionKernel;
import dev.quern.op.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// Runs a model's kernels on made-up activations while its weights are still being packed, so that
/// the JVM compiles them meanwhile, and several at once: on the first prompt it would do so one
/// after the other, each while all threads wait for it. Shapes and weights are the model's own,
/// since a compiler looks at what it sees: the first layer's and the output matrix.
///
/// What a prompt needs is run, which is several rows, and one of the output. Kernels for one row of
/// a layer are left to the second token.
public final class WarmUp implements AutoCloseable {
  /// Rows through the linear layers: a tile of most kernels. What a part of one needs besides, not
  /// every prompt does.
  private static final int LINEAR_ROWS = 6;

  /// Rows through the operators without weights, which are called once a row or a head.
  private static final int ROWS = 64;

  /// A smaller model than this (bytes of weights) is done with a prompt before its kernels are
  /// compiled: 20 tokens of the demo model would take half a second longer.
  static final long WORTHWHILE = 64 << 20;

  private final LlamaConfig config;
  private final boolean worthwhile;
  private final int maxRows;
  private final List<Meanwhile<Void>> running = new ArrayList<>();

  /// @param maxRows most rows that a forward pass will have: neither more than the batch nor than
  ///   the positions of a cache, which the operators' specs are for
  /// @param worthwhile whether to do anything
  public WarmUp(LlamaConfig config, int maxRows, boolean worthwhile) {
    this.config = config;
    this.maxRows = maxRows;
    this.worthwhile = worthwhile;
  }

  /// Norms, rotation, attention and SwiGLU.
  public void operators(ForwardPass.Operators operators, KvFormat kv) {
    int rows = Math.min(ROWS, maxRows);
    start(
        "operators",
        arena -> {
          Workspace w = workspace(arena, rows, operators.kernels());
          F32Matrix x = activations(arena, rows, config.width());
          F32Matrix h = activations(arena, rows, config.width());
          operators.norm().apply(x, activations(arena, 1, config.width()), h, w);

          F32Matrix q = activations(arena, rows, config.queryWidth());
          F32Matrix k = activations(arena, rows, config.kvWidth());
          F32Matrix v = activations(arena, rows, config.kvWidth());
          if (operators.headNorms().isPresent()) {
            F32Matrix weight = activations(arena, 1, config.headDim());
            operators.headNorms().get().queries().apply(q, weight, q, w);
            operators.headNorms().get().keys().apply(k, weight, k, w);
          }
          F32Matrix angles = RopeTable.of(config.headDim(), config.rope(), rows, rows, arena);
          operators.ropeQueries().apply(q, angles, 0, w);
          operators.ropeKeys().apply(k, angles, 0, w);

          long plane = KvCache.planeBytes(kv, config.kvHeads(), config.headDim(), rows);
          KvCache cache =
              new KvCache(arena.allocate(plane, 64), arena.allocate(plane, 64), kv, rows);
          F32Matrix a = activations(arena, rows, config.queryWidth());
          for (AttentionKernel attention : operators.attention().distinct()) {
            attention.append(k, v, cache, 0, w);
            attention.apply(q, cache, 0, a, w);
          }

          F32Matrix gate = activations(arena, rows, config.hidden());
          F32Matrix up = activations(arena, rows, config.hidden());
          operators.swiGlu().apply(gate, up, gate, w);
        });
  }

  /// The linear kernels of a layer.
  public void layer(LlamaWeights.Layer layer) {
    int rows = Math.min(LINEAR_ROWS, maxRows);
    start(
        "layer",
        arena -> {
          linear(arena, layer.qkv(), config.width(), rows);
          linear(arena, layer.attentionOutput().matrix(), config.queryWidth(), rows);
          linear(arena, layer.gateUp(), config.width(), rows);
          linear(arena, layer.down().matrix(), config.hidden(), rows);
        });
  }

  /// The output matrix, of which only the last token's logits are ever wanted.
  public void output(Projection output) {
    start("output", arena -> linear(arena, output, config.width(), 1));
  }

  private static void linear(Arena arena, Projection projection, int inputs, int rows) {
    F32Matrix x = activations(arena, rows, inputs);
    F32Matrix y = F32Matrix.allocate(arena, rows, projection.outputs());
    long scratch = Math.max(1, projection.scratchBytes(rows, 1));
    projection.apply(
        x,
        y,
        new Workspace(arena.allocate(scratch, Workspace.SCRATCH_ALIGNMENT), Workers.sequential()));
  }

  /// Numbers of either sign about 1, so that kernels take the way that a model's activations take.
  private static F32Matrix activations(Arena arena, int rows, int columns) {
    float[] row = new float[columns];
    for (int i = 0; i < columns; i++) {
      row[i] = (i * 37 % 101 - 50) / 32f;
    }
    F32Matrix x = F32Matrix.allocate(arena, rows, columns);
    for (int r = 0; r < rows; r++) {
      MemorySegment.copy(row, 0, x.data(), JAVA_FLOAT, x.offsetBytes(r, 0), columns);
    }
    return x;
  }

  private static Workspace workspace(Arena arena, int rows, List<Kernel> kernels) {
    long bytes = 1;
    for (Kernel kernel : kernels) {
      bytes = Math.max(bytes, kernel.scratchBytes(rows, 1));
    }
    return new Workspace(arena.allocate(bytes, Workspace.SCRATCH_ALIGNMENT), Workers.sequential());
  }

  /// What a thread does, in an arena of its own.
  private interface Part {
    void run(Arena arena);
  }

  private void start(String name, Part part) {
    if (!worthwhile) {
      return;
    }
    Callable<Void> work =
        () -> {
          try (Arena arena = Arena.ofShared()) {
            part.run(arena);
          }
          return null;
        };
    running.add(Meanwhile.start("quern-warm-up-" + name, work));
  }

  /// Waits for all of it.
  ///
  /// @throws RuntimeException what a kernel threw
  public void join() throws IOException {
    for (Meanwhile<Void> part : running) {
      part.join();
    }
  }

  /// Waits for all of it: kernels read weights that may be freed next.
  @Override
  public void close() throws IOException {
    Throwable failure = null;
    for (Meanwhile<Void> part : running) {
      try {
        part.close();
      } catch (IOException | RuntimeException | Error e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }
}
