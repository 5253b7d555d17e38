package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.op.AttentionKernel;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RopeKernel;
import dev.quern.op.SwiGluKernel;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.random.RandomGenerator;

/// The Llama forward pass over a batch of consecutive tokens of one sequence (Touvron et al. 2023),
/// with its activations. Batches of any size up to the limit run through the same kernels.
public final class ForwardPass {
  private final LlamaConfig config;
  private final LlamaWeights weights;
  private final Operators operators;
  private final KvCaches caches;
  private final F32Matrix ropeTable; // [positions, headDim]
  private final Workspace workspace;

  private final F32Matrix residual; // [batch, width]
  private final F32Matrix normed; // [batch, width]
  private final F32Matrix qkv; // [batch, queryWidth + 2 * kvWidth]
  private final F32Matrix attended; // [batch, queryWidth]
  private final F32Matrix gateUp; // [batch, 2 * hidden]
  private final F32Matrix logits; // [1, vocabulary]

  /// The last layer of a prefill computes this many rows though only one is wanted: kernels for
  /// several rows are compiled by then, and those for one row would keep the first token of a cold
  /// JVM waiting (docs/cold-start.md). Hot, the difference is 1 % of a prefill of 64 tokens.
  private static final int LAST_ROWS = 4;

  /// The operators without weights; one of each serves all layers.
  public record Operators(
      RmsNormKernel norm,
      RopeKernel ropeQueries,
      RopeKernel ropeKeys,
      AttentionKernel attention,
      SwiGluKernel swiGlu) {}

  /// @param batch most rows of a call
  /// @param arena where activations and scratch are allocated
  public ForwardPass(
      LlamaConfig config,
      LlamaWeights weights,
      Operators operators,
      KvCaches caches,
      int batch,
      Workers workers,
      Arena arena) {
    this.config = config;
    this.weights = weights;
    this.operators = operators;
    this.caches = caches;
    ropeTable = RopeTable.of(config, weights.ropeFactors(), caches.limit(), arena);
    residual = F32Matrix.allocate(arena, batch, config.width());
    normed = F32Matrix.allocate(arena, batch, config.width());
    qkv = F32Matrix.allocate(arena, batch, config.queryWidth() + 2 * config.kvWidth());
    attended = F32Matrix.allocate(arena, batch, config.queryWidth());
    gateUp = F32Matrix.allocate(arena, batch, 2 * config.hidden());
    logits = F32Matrix.allocate(arena, 1, config.vocabulary());
    long scratch = Math.max(1, scratchBytes(batch, workers.parallelism()));
    workspace = new Workspace(arena.allocate(scratch, Workspace.SCRATCH_ALIGNMENT), workers);
  }

  /// Runs tokens at positions `position ...` and stores their keys and values.
  ///
  /// @param tokens token ids
  /// @param from index of the first one
  /// @param rows how many, at most the batch
  /// @param position position of the first one
  /// @param wanted of how many of the last rows logits may be asked for; the last layer leaves out
  ///   what only the others would need
  public void run(int[] tokens, int from, int rows, int position, int wanted) {
    caches.reserve(position, position + rows);
    int queryWidth = config.queryWidth();
    int kvWidth = config.kvWidth();
    int hidden = config.hidden();
    F32Matrix x = residual.firstRows(rows); // [rows, width]
    F32Matrix h = normed.firstRows(rows); // [rows, width]
    F32Matrix heads = qkv.firstRows(rows);
    F32Matrix q = heads.columns(0, queryWidth);
    F32Matrix k = heads.columns(queryWidth, queryWidth + kvWidth);
    F32Matrix v = heads.columns(queryWidth + kvWidth, queryWidth + 2 * kvWidth);
    F32Matrix a = attended.firstRows(rows); // [rows, queryWidth]
    F32Matrix inner = gateUp.firstRows(rows);

    for (int r = 0; r < rows; r++) {
      weights.embedding().decode(tokens[from + r], x, r);
    }
    int first = 0; // row that anything is wanted of
    for (int l = 0; l < config.layers(); l++) {
      LlamaWeights.Layer layer = weights.layers().get(l);
      KvCache cache = caches.layer(l);

      operators.norm().apply(x, layer.attentionNorm(), h, workspace);
      layer.qkv().apply(h, heads, workspace);
      operators.ropeKeys().apply(k, ropeTable, position, workspace);
      operators.attention().append(k, v, cache, position, workspace);

      if (l == config.layers() - 1 && wanted < rows) {
        if (wanted == 0) {
          return;
        }
        first = rows - Math.max(wanted, Math.min(rows, LAST_ROWS));
        x = x.rows(first, rows);
        h = h.rows(first, rows);
        q = q.rows(first, rows);
        a = a.rows(first, rows);
        inner = inner.rows(first, rows);
      }
      operators.ropeQueries().apply(q, ropeTable, position + first, workspace);
      operators.attention().apply(q, cache, position + first, a, workspace);
      layer.attentionOutput().apply(a, x, workspace); // x += a·Woᵀ

      F32Matrix gate = inner.columns(0, hidden);
      F32Matrix up = inner.columns(hidden, 2 * hidden);
      operators.norm().apply(x, layer.feedForwardNorm(), h, workspace);
      layer.gateUp().apply(h, inner, workspace);
      operators.swiGlu().apply(gate, up, gate, workspace);
      layer.down().apply(gate, x, workspace); // x += silu(gate)*up · Wdownᵀ
    }
  }

  /// Stores random keys and values, within -1 and 1, at positions `position ...` of all layers.
  ///
  /// @param rows how many positions, at most the batch
  public void appendNoise(int position, int rows, RandomGenerator random) {
    caches.reserve(position, position + rows);
    int kvWidth = config.kvWidth();
    F32Matrix noise = qkv.firstRows(rows);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < 2 * kvWidth; c++) {
        noise.set(r, c, random.nextFloat(-1, 1));
      }
    }
    F32Matrix k = noise.columns(0, kvWidth);
    F32Matrix v = noise.columns(kvWidth, 2 * kvWidth);
    for (int l = 0; l < config.layers(); l++) {
      operators.attention().append(k, v, caches.layer(l), position, workspace);
    }
  }

  /// The logits after a row of the last [#run], one of those that were wanted; overwritten by the
  /// next call.
  ///
  /// @return `[1, vocabulary]`
  public F32Matrix logits(int row) {
    F32Matrix h = normed.firstRows(1);
    operators.norm().apply(residual.rows(row, row + 1), weights.outputNorm(), h, workspace);
    weights.output().apply(h, logits, workspace);
    return logits;
  }

  public KvCaches caches() {
    return caches;
  }

  private long scratchBytes(int rows, int parallelism) {
    long bytes = weights.output().scratchBytes(1, parallelism);
    for (LlamaWeights.Layer layer : weights.layers()) {
      for (Projection p :
          List.of(layer.qkv(), layer.attentionOutput(), layer.gateUp(), layer.down())) {
        bytes = Math.max(bytes, p.scratchBytes(rows, parallelism));
      }
    }
    for (var kernel :
        List.of(
            operators.norm(),
            operators.ropeQueries(),
            operators.ropeKeys(),
            operators.attention(),
            operators.swiGlu())) {
      bytes = Math.max(bytes, kernel.scratchBytes(rows, parallelism));
    }
    return bytes;
  }
}
