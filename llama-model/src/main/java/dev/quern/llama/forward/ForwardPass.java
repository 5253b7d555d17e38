package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.Multipliers;
import dev.quern.op.AttentionKernel;
import dev.quern.op.Kernel;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RopeKernel;
import dev.quern.op.SwiGluKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// The Llama forward pass (Touvron et al. 2023) over a batch of rows, each a token of some
/// sequence, with its activations. Batches of any size up to the limit run through the same
/// kernels, and all but attention never asks whose a row is. What other families add is in their
/// kernels (biases, pairs of RoPE, a window, the gate's activation) and in how a block ends
/// ([BlockOutput]), but for the norms of heads and the layers without RoPE.
public final class ForwardPass {
  private final LlamaConfig config;
  private final LlamaWeights weights;
  private final Operators operators;
  private final ByReach<F32Matrix> ropeTables; // [positions, headDim]
  private final Workspace workspace;

  private final ByReach<F32Matrix> angles; // [rows, headDim], of each row's position
  private final F32Matrix residual; // [rows, width]
  private final F32Matrix normed; // [rows, width]
  private final F32Matrix qkv; // [rows, queryWidth + 2 * kvWidth]
  private final F32Matrix attended; // [rows, queryWidth]
  private final F32Matrix gateUp; // [rows, 2 * hidden]
  private final F32Matrix logits; // [limit, vocabulary]

  /// The last layer of a prefill computes this many rows though only one is wanted: kernels for
  /// several rows are compiled by then, and those for one row would keep the first token of a cold
  /// JVM waiting (docs/cold-start.md). Hot, the difference is 1 % of a prefill of 64 tokens.
  private static final int LAST_ROWS = 4;

  /// The operators without weights; one of each serves all layers.
  public record Operators(
      RmsNormKernel norm,
      Optional<HeadNorms<RmsNormKernel>> headNorms,
      RopeKernel ropeQueries,
      RopeKernel ropeKeys,
      ByReach<AttentionKernel> attention,
      SwiGluKernel swiGlu) {

    public Operators withAttention(ByReach<AttentionKernel> attention) {
      return new Operators(norm, headNorms, ropeQueries, ropeKeys, attention, swiGlu);
    }

    /// All of them.
    public List<Kernel> kernels() {
      List<Kernel> kernels = new ArrayList<>(List.of(norm, ropeQueries, ropeKeys, swiGlu));
      kernels.addAll(attention.distinct());
      headNorms.ifPresent(norms -> kernels.addAll(List.of(norms.queries(), norms.keys())));
      return kernels;
    }
  }

  /// What there is room for.
  ///
  /// @param positions most of a sequence
  /// @param rows most of a batch
  /// @param logits most rows that logits are asked for of at once
  public record Limits(int positions, int rows, int logits) {}

  /// Consecutive tokens of one sequence, which become rows of a batch.
  ///
  /// @param caches the sequence's, which get the tokens' keys and values
  /// @param position of the first token
  /// @param tokens token ids
  /// @param from index of the first one
  /// @param rows how many
  /// @param wanted of how many of the last rows logits may be asked for
  public record Part(KvCaches caches, int position, int[] tokens, int from, int rows, int wanted) {}

  /// @param arena where activations and scratch are allocated
  public ForwardPass(
      LlamaConfig config,
      LlamaWeights weights,
      Operators operators,
      Limits limits,
      Workers workers,
      Arena arena) {
    this.config = config;
    this.weights = weights;
    this.operators = operators;
    int rows = limits.rows();
    ropeTables = RopeTable.byReach(config, limits.positions(), arena);
    angles = ropeTables.map(_ -> F32Matrix.allocate(arena, rows, config.headDim()));
    residual = F32Matrix.allocate(arena, rows, config.width());
    normed = F32Matrix.allocate(arena, rows, config.width());
    qkv = F32Matrix.allocate(arena, rows, config.queryWidth() + 2 * config.kvWidth());
    attended = F32Matrix.allocate(arena, rows, config.queryWidth());
    gateUp = F32Matrix.allocate(arena, rows, 2 * config.hidden());
    logits = F32Matrix.allocate(arena, limits.logits(), config.vocabulary());
    long scratch = Math.max(1, scratchBytes(limits, workers.parallelism()));
    workspace = new Workspace(arena.allocate(scratch, Workspace.SCRATCH_ALIGNMENT), workers);
  }

  /// Runs tokens and stores their keys and values. The last layer leaves out the rows before the
  /// first that is wanted, so parts of which nothing is wanted come first.
  ///
  /// @param batch parts of different sequences, within the limits; row 0 is the first one's first
  public void run(List<Part> batch) {
    int rows = begin(batch);
    int queryWidth = config.queryWidth();
    int kvWidth = config.kvWidth();
    int hidden = config.hidden();
    F32Matrix x = residual.firstRows(rows); // [rows, width]
    F32Matrix h = normed.firstRows(rows); // [rows, width]
    F32Matrix heads = qkv.firstRows(rows);
    F32Matrix q = heads.columnRange(0, queryWidth);
    F32Matrix k = heads.columnRange(queryWidth, queryWidth + kvWidth);
    F32Matrix v = heads.columnRange(queryWidth + kvWidth, queryWidth + 2 * kvWidth);
    F32Matrix a = attended.firstRows(rows); // [rows, queryWidth]
    F32Matrix inner = gateUp.firstRows(rows);

    Optional<HeadNorms<RmsNormKernel>> headNorms = operators.headNorms();

    int wanted = firstWanted(batch);
    int first = 0; // row that the layer begins at
    for (int l = 0; l < config.layers(); l++) {
      LlamaWeights.Layer layer = weights.layers().get(l);
      AttentionKernel attention = operators.attention().of(config.isLocal(l));
      F32Matrix turns = angles.of(config.isLocal(l));

      operators.norm().apply(x, layer.attentionNorm(), h, workspace);
      layer.qkv().apply(h, heads, workspace);
      if (headNorms.isPresent()) {
        headNorms.get().keys().apply(k, layer.headNorms().get().keys(), k, workspace);
      }
      if (config.rotates(l)) {
        operators.ropeKeys().apply(k, turns, 0, workspace);
      }
      attention.append(k, v, sequences(batch, l, 0), workspace);

      if (l == config.layers() - 1 && wanted > 0) {
        if (wanted == rows) {
          return;
        }
        first = Math.max(0, Math.min(wanted, rows - LAST_ROWS));
        x = x.rowRange(first, rows);
        h = h.rowRange(first, rows);
        q = q.rowRange(first, rows);
        a = a.rowRange(first, rows);
        inner = inner.rowRange(first, rows);
      }
      if (headNorms.isPresent()) {
        headNorms.get().queries().apply(q, layer.headNorms().get().queries(), q, workspace);
      }
      if (config.rotates(l)) {
        operators.ropeQueries().apply(q, turns, first, workspace);
      }
      attention.apply(q, sequences(batch, l, first), a, workspace);
      layer.attentionOutput().addTo(x, a, h, operators.norm(), workspace); // x += a·Woᵀ

      F32Matrix gate = inner.columnRange(0, hidden);
      F32Matrix up = inner.columnRange(hidden, 2 * hidden);
      operators.norm().apply(x, layer.feedForwardNorm(), h, workspace);
      layer.gateUp().apply(h, inner, workspace);
      operators.swiGlu().apply(gate, up, gate, workspace);
      layer.down().addTo(x, gate, h, operators.norm(), workspace); // x += act(gate)*up · Wdownᵀ
    }
  }

  /// Makes room in the caches, and sets the rows' embeddings and angles.
  ///
  /// @return how many rows there are
  private int begin(List<Part> batch) {
    int row = 0;
    for (Part part : batch) {
      part.caches().reserve(part.position(), part.position() + part.rows());
      for (int r = 0; r < part.rows(); r++) {
        weights.embedding().decode(part.tokens()[part.from() + r], residual, row + r);
        copyRow(ropeTables.global(), part.position() + r, angles.global(), row + r);
        if (angles.local() != angles.global()) {
          copyRow(ropeTables.local(), part.position() + r, angles.local(), row + r);
        }
      }
      row += part.rows();
    }
    return row;
  }

  private static void copyRow(F32Matrix from, int row, F32Matrix to, int toRow) {
    MemorySegment.copy(
        from.data(),
        from.offsetBytes(row, 0),
        to.data(),
        to.offsetBytes(toRow, 0),
        (long) to.columns() * Float.BYTES);
  }

  /// The first row that logits may be asked for of; the number of rows where there is none.
  private static int firstWanted(List<Part> batch) {
    int row = 0;
    for (Part part : batch) {
      if (part.wanted() > 0) {
        return row + Math.max(0, part.rows() - part.wanted());
      }
      row += part.rows();
    }
    return row;
  }

  /// The batch as attention takes it, from a row on.
  private static List<SequenceRows> sequences(List<Part> batch, int layer, int from) {
    List<SequenceRows> sequences = new ArrayList<>(batch.size());
    int row = 0;
    for (Part part : batch) {
      int left = Math.clamp(from - row, 0, part.rows()); // out
      if (left < part.rows()) {
        sequences.add(
            new SequenceRows(
                part.rows() - left, part.caches().layer(layer), part.position() + left));
      }
      row += part.rows();
    }
    return sequences;
  }

  /// Stores random keys and values, within -1 and 1, at positions `position ...` of all layers.
  ///
  /// @param rows how many positions, at most those of a batch
  public void appendNoise(KvCaches caches, int position, int rows, RandomGenerator random) {
    caches.reserve(position, position + rows);
    int kvWidth = config.kvWidth();
    F32Matrix noise = qkv.firstRows(rows);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < 2 * kvWidth; c++) {
        noise.set(r, c, random.nextFloat(-1, 1));
      }
    }
    F32Matrix k = noise.columnRange(0, kvWidth);
    F32Matrix v = noise.columnRange(kvWidth, 2 * kvWidth);
    for (int l = 0; l < config.layers(); l++) {
      AttentionKernel attention = operators.attention().of(config.isLocal(l));
      attention.append(k, v, caches.layer(l), position, workspace);
    }
  }

  /// The logits after rows of the last [#run], of those that were wanted; overwritten by the next
  /// call.
  ///
  /// @param rows of the batch, within the limits
  /// @return `[rows, vocabulary]`, in the order in which they were asked for
  public F32Matrix logits(int... rows) {
    F32Matrix h = normed.firstRows(rows.length);
    F32Matrix y = logits.firstRows(rows.length);
    for (int i = 0; i < rows.length; i++) {
      F32Matrix x = residual.rowRange(rows[i], rows[i] + 1);
      operators.norm().apply(x, weights.outputNorm(), h.rowRange(i, i + 1), workspace);
    }
    weights.output().apply(h, y, workspace);
    Multipliers m = config.multipliers();
    Elementwise.scaleAndCap(y, 1 / m.logitDivisor(), m.logitSoftCap(), workspace.workers());
    return y;
  }

  /// What the output matrix is applied to: the residual stream behind rows of the last [#run], of
  /// those that were wanted, normed; overwritten by the next call.
  ///
  /// @param from first row of the batch
  /// @param to row behind the last
  /// @return `[to - from, width]`
  public F32Matrix hidden(int from, int to) {
    F32Matrix h = normed.firstRows(to - from);
    operators.norm().apply(residual.rowRange(from, to), weights.outputNorm(), h, workspace);
    return h;
  }

  private long scratchBytes(Limits limits, int parallelism) {
    int rows = limits.rows();
    long bytes = weights.output().scratchBytes(limits.logits(), parallelism);
    for (LlamaWeights.Layer layer : weights.layers()) {
      for (Projection p :
          List.of(
              layer.qkv(),
              layer.attentionOutput().matrix(),
              layer.gateUp(),
              layer.down().matrix())) {
        bytes = Math.max(bytes, p.scratchBytes(rows, parallelism));
      }
    }
    for (Kernel kernel : operators.kernels()) {
      bytes = Math.max(bytes, kernel.scratchBytes(rows, parallelism));
    }
    return bytes;
  }
}
