package dev.quern.provider.x86.activation;

import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in the emitted code of attention are found: in that of one of its routines, while the
/// others are sound.
class AttentionFaultsTest {
  private static final List<String> NAMES = List.of("attend", "fold", "finish", "append");
  private static final int ATTEND = 0;
  private static final int FINISH = 2;
  private static final int APPEND = 3;

  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // Which cache lines are asked for.
          ".*: (add|cmp) r15, [0-9]{2,}: .*",
          ".*: mov (r15, )?QWORD PTR \\[rdi\\+80](, r15|, 0)?: .*",
          ".*: jae .*: left out",
          // The maximum so far is in both at first.
          ".*: \\{e?vex} vmaxps .mm4, .mm0, .mm4: \\{e?vex} vmaxps .mm4, .mm0, .mm5",
          // Behind the end of a row of values is no output.
          "item (6[0-9]|7[0-9]): vpand ymm0, ymm0, ymm15: .*",
          // Quarters that are neighbours are alike then; of two halves the second source has none.
          ".*: vshufi32x4 (zmm[16]), (zmm[04]), zmm[04], 78: vshufi32x4 \\1, \\2, \\2, 79",
          ".*: vperm2f128 (ymm[16]), (ymm[04]), ymm[04], 1: vperm2f128 \\1, \\2, ymm[15], 1");

  @TestFactory
  Stream<DynamicTest> everyWidthFormatAndRoutine() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            Stream.of(KvFormat.F16, KvFormat.F32)
                .flatMap(kv -> Stream.of(ATTEND, FINISH, APPEND).map(w -> test(row, kv, w))));
  }

  @TestFactory
  Stream<DynamicTest> fold() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)
        .map(row -> {
          AttentionLayout layout = new AttentionLayout(20, KvFormat.F16, Lanes.count(row));
          return Faults.test(
              "fold on " + row,
              AttentionStates.fold(row, layout),
              ALIKE,
              (routine, seed) -> fold(routine, layout, seed));
        });
  }

  private static DynamicTest test(CpuRow row, KvFormat kv, int which) {
    // One size of heads of more vectors than are summed at once.
    int headDim = row.equals(CpuRow.AVX2) && kv.equals(KvFormat.F32) ? 68 : 20;
    AttentionLayout layout = new AttentionLayout(headDim, kv, Lanes.count(row));
    List<Code> codes = AttentionBitsTest.codes(row, layout);
    List<WideRoutine> sound = InterpretedRoutine.loadWide(codes);
    return Faults.test(
        NAMES.get(which) + " " + kv + " on " + row,
        codes.get(which),
        ALIKE,
        (routine, seed) -> {
          List<WideRoutine> routines = new ArrayList<>(sound);
          routines.set(which, routine);
          return calls(layout, seed, which == APPEND ? 2 : 1)
              .difference(routines, Workers.sequential());
        });
  }

  /// Positions before the first row: tiles that end anywhere.
  private static final int[] BEFORE = {29, 3, 30, 11, 40, 30, 31, 27, 62, 0, 15, 38};

  /// One row or some.
  private static AttentionCalls calls(AttentionLayout layout, int seed, int kvHeads) {
    int rows = 1 + seed % 3;
    int first = BEFORE[seed % BEFORE.length];
    AttentionSpec spec =
        new AttentionSpec(2, kvHeads, layout.headDim(), rows + first, 0.3f, layout.kv());
    return new AttentionCalls(spec, layout.lanes(), rows, first, seed);
  }

  /// Two states by two.
  private static String fold(WideRoutine routine, AttentionLayout layout, int seed) {
    Random random = new Random(seed);
    int floats = (int) layout.stateBytes() / Float.BYTES;
    int folded = layout.totalAt() / Float.BYTES;
    int used = (layout.outAt() + layout.rowBytes()) / Float.BYTES;
    float[] states = new float[2 * floats];
    float[] later = new float[2 * floats];
    float[] expected = new float[2 * floats];
    for (int s = 0; s < 2 * floats; s += floats) {
      float size = seed % 2 == 0 ? 1 : 300;
      float max = size * (float) random.nextGaussian();
      float laterMax = size * (float) random.nextGaussian();
      float all = Math.max(max, laterMax);
      float ours = ActivationReference.exp(max - all);
      float theirs = ActivationReference.exp(laterMax - all);
      for (int i = s; i < s + used; i++) {
        boolean ofMax = i < s + layout.lanes();
        states[i] = ofMax ? max : (float) random.nextGaussian();
        later[i] = ofMax ? laterMax : (float) random.nextGaussian();
        expected[i] =
            ofMax ? all : i < s + folded ? states[i] : Math.fma(theirs, later[i], ours * states[i]);
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = RowCalls.segment(arena, new float[6]);
      MemorySegment from = RowCalls.segment(arena, later);
      MemorySegment to = RowCalls.segment(arena, states);
      AttentionStates.arguments(block, 0, to.address(), from.address(), 2);
      routine.call(block.address(), block, from, from, from, to);
      return RowCalls.difference(expected, to);
    }
  }
}
