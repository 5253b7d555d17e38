package dev.quern.provider.x86.linear.panel;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import java.util.List;

/// Packs eight rows of weights that are floats, by [PackingSteps]; a step stores a vector after the
/// other:
///
///     stored[i][lane] = value i of the row's inputs
public final class FloatPacking {
  private FloatPacking() {}

  /// @param blockBytes of a row, that a step packs
  /// @param stored values of a row, in the order of the panel
  /// @param bytes of a value: 2, 4
  /// @param outputs of a panel
  public static Code code(int blockBytes, List<BlockWord> stored, int bytes, int outputs) {
    Assembler a = new Assembler(CpuRow.AVX2.needs());
    PackingSteps steps = new PackingSteps(a, blockBytes);
    steps.begin();
    steps.loop(
        stored,
        stored.size() * bytes * outputs,
        () -> {
          for (int i = 0; i < stored.size(); i++) {
            steps.value(stored.get(i), 0);
            steps.store(0, i * bytes * outputs, bytes);
          }
        });
    a.end();
    steps.constants();
    return a.code();
  }
}
