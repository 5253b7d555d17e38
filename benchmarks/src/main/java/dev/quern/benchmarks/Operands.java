package dev.quern.benchmarks;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.measure.synthetic.RandomBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/// What a benchmark calls, and calls it with: kernels, and seeded random operands, freed together.
/// One thread.
final class Operands implements AutoCloseable {
  static final Workers ONE_THREAD = Workers.sequential();

  private final Arena arena = Arena.ofShared();
  private final SplittableRandom random = new SplittableRandom(1);

  private final Kernels kernels;

  /// @param provider who runs them, in the terms of `quern.provider`; other properties as given to
  ///   the JVM
  Operands(String provider) {
    kernels = Kernels.load(KernelOptions.fromSystem().withProvider(provider));
  }

  Kernels kernels() {
    return kernels;
  }

  Arena arena() {
    return arena;
  }

  /// A matrix of near-Gaussian numbers of unit deviation.
  F32Matrix matrix(int rows, int columns) {
    F32Matrix matrix = F32Matrix.allocate(arena, rows, columns);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        matrix.set(r, c, gaussian());
      }
    }
    return matrix;
  }

  /// Random weights whose products with a normalised row are of about unit size.
  WeightMatrix weights(BlockFormat format, int outputs, int inputs) {
    MemorySegment data = arena.allocate(outputs * format.rowBytes(inputs), 64);
    new RandomBlocks(random, 1 / Math.sqrt(inputs))
        .fill(format, data.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
    return new WeightMatrix(format, data, outputs, inputs);
  }

  Workspace workspace(long scratchBytes) {
    MemorySegment scratch = arena.allocate(Math.max(1, scratchBytes), Workspace.SCRATCH_ALIGNMENT);
    return new Workspace(scratch, ONE_THREAD);
  }

  @Override
  public void close() {
    kernels.close();
    arena.close();
  }

  private float gaussian() {
    return (float)
            (random.nextDouble()
                + random.nextDouble()
                + random.nextDouble()
                + random.nextDouble()
                - 2)
        * 1.732f;
  }
}
