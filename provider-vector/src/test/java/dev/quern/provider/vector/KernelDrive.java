package dev.quern.provider.vector;

import static dev.quern.provider.vector.Operands.workspace;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.vector.attention.Attention;
import dev.quern.provider.vector.rows.RmsNorm;
import dev.quern.provider.vector.rows.Rope;
import dev.quern.provider.vector.rows.SwiGlu;
import dev.quern.spi.Offer;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/// Calls every kernel until it is compiled. A program of its own, for [CompilationTest].
final class KernelDrive {
  private static final int WIDTH = 512;
  private static final int OUTPUTS = 100;
  private static final int CALLS = 40;

  private KernelDrive() {}

  public static void main(String[] args) {
    try (Arena arena = Arena.ofConfined()) {
      for (BlockFormat format : BlockFormat.standard()) {
        linear(arena, format, Set.of(Numerics.EXACT_F32));
        linear(arena, format, Set.copyOf(Numerics.standard()));
      }
      for (KvFormat format : List.of(KvFormat.F32, KvFormat.F16)) {
        attention(arena, format);
      }
      elementWise(arena);
    }
  }

  private static void linear(Arena arena, BlockFormat format, Set<Numerics> tolerated) {
    Random random = new Random(1);
    WeightMatrix w = TestWeights.random(format, OUTPUTS, WIDTH, random, arena);
    for (boolean accumulate : new boolean[] {false, true}) {
      LinearSpec spec = new LinearSpec(format, OUTPUTS, WIDTH, accumulate, tolerated);
      var offer = new VectorProvider().linear(spec);
      if (!(offer instanceof Offer.Accepted<LinearPacker> accepted)) {
        throw new IllegalStateException(spec + ": " + offer);
      }
      LinearKernel kernel = accepted.kernel().pack(List.of(w), arena, Workers.sequential());
      for (int rows : new int[] {1, 13, 8}) {
        F32Matrix x = F32Matrix.allocate(arena, rows, WIDTH);
        F32Matrix y = F32Matrix.allocate(arena, rows, OUTPUTS);
        Workspace workspace = workspace(arena, kernel.scratchBytes(rows, 1));
        for (int i = 0; i < CALLS; i++) {
          kernel.apply(x, y, workspace);
        }
      }
    }
  }

  private static void attention(Arena arena, KvFormat format) {
    AttentionSpec spec = new AttentionSpec(8, 2, 64, 700, 0.125f, format);
    Attention kernel = new Attention(spec);
    long bytes = KvCache.planeBytes(format, 2, 64, 700);
    KvCache cache = new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), format, 700);
    F32Matrix k = F32Matrix.allocate(arena, 600, 2 * 64);
    Workspace workspace = workspace(arena, kernel.scratchBytes(600, 1));
    kernel.append(k, k, cache, 0, workspace);
    for (int rows : new int[] {1, 30}) {
      F32Matrix q = F32Matrix.allocate(arena, rows, 8 * 64);
      F32Matrix y = F32Matrix.allocate(arena, rows, 8 * 64);
      for (int i = 0; i < CALLS; i++) {
        kernel.apply(q, cache, 560, y, workspace);
      }
    }
  }

  private static void elementWise(Arena arena) {
    F32Matrix x = F32Matrix.allocate(arena, 4, WIDTH);
    F32Matrix w = F32Matrix.allocate(arena, 1, WIDTH);
    F32Matrix y = F32Matrix.allocate(arena, 4, WIDTH);
    RmsNorm norm = new RmsNorm(RmsNormSpec.of(WIDTH, 1e-5f));
    SwiGlu swiGlu = new SwiGlu(SwiGluSpec.of(WIDTH));
    F32Matrix angles = F32Matrix.allocate(arena, 4, 64);
    long scratch = Math.max(norm.scratchBytes(4, 1), swiGlu.scratchBytes(4, 1));
    List<Rope> ropes =
        Stream.of(RopePairing.values()).map(p -> new Rope(new RopeSpec(8, 64, p))).toList();
    for (Rope rope : ropes) {
      scratch = Math.max(scratch, rope.scratchBytes(4, 1));
    }
    Workspace workspace = workspace(arena, scratch);
    for (int i = 0; i < 10 * CALLS; i++) {
      norm.apply(x, w, y, workspace);
      swiGlu.apply(x, x, y, workspace);
      for (Rope rope : ropes) {
        rope.apply(x, angles, 0, workspace);
      }
    }
  }
}
