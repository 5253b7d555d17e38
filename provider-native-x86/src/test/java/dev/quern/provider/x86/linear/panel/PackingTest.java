package dev.quern.provider.x86.linear.panel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Panels are what plain Java packs, byte for byte: interpreted on any machine, and on a CPU that
/// has AVX2 there as well. The interpreter sees each access beyond a task's memory and the panels.
class PackingTest {
  /// Rows of the matrices: whole panels, a single row, eight rows that begin at no multiple of
  /// eight, a boundary within eight rows, and three of them.
  private static final List<List<Integer>> STACKS =
      List.of(List.of(32), List.of(1), List.of(3, 16, 5), List.of(13, 1, 1, 20));

  @TestFactory
  Stream<DynamicTest> everyPanel() {
    return PackedReference.all().stream()
        .map(p -> DynamicTest.dynamicTest(PackedReference.name(p), () -> check(p)));
  }

  private static void check(PackedPanels panels) throws Exception {
    List<Routine> routines = new ArrayList<>(InterpretedRoutine.load(List.of(panels.packing())));
    String refusal = Host.refusal(CpuRow.AVX2);
    if (refusal.isEmpty()) {
      routines.addAll(NativeRoutines.load(List.of(panels.packing())));
    } else {
      System.out.println("[quern] only interpreted: packing of " + panels + ": " + refusal);
    }
    int block = panels.format().blockElements();
    // Whole steps; where the format has no blocks, inputs that fill none, or no block of the panel.
    List<Integer> lengths =
        block == 1 ? List.of(96, 1, 45, 40) : List.of(block * 3, Math.max(32, block));
    for (List<Integer> rows : STACKS) {
      for (int inputs : lengths) {
        for (boolean anyScale : new boolean[] {false, true}) {
          try (Arena arena = Arena.ofConfined()) {
            List<WeightMatrix> stacked = matrices(panels.format(), rows, inputs, anyScale, arena);
            PackedReference reference = PackedReference.of(panels, stacked, arena);
            for (Routine routine : routines) {
              PanelWeights packed = pack(panels, routine, stacked, arena);
              String what = rows + " rows of " + inputs + ", any scale: " + anyScale;
              assertEquals("", reference.difference(packed), what);
            }
          }
        }
      }
    }
  }

  /// As by a second process, which writes the file anew.
  @Test
  void aMappedFileThatIsCutIsAnError(@TempDir Path folder) throws Exception {
    int bytes = (int) (32 * BlockFormat.Q8_0.rowBytes(256));
    Path file = Files.write(folder.resolve("weights"), new byte[bytes]);
    PackedPanels panels = WeightPanels.of(BlockFormat.Q8_0, 16).orElseThrow();
    Routine routine = InterpretedRoutine.load(List.of(panels.packing())).getFirst();
    try (Arena arena = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
      List<WeightMatrix> stacked = List.of(new WeightMatrix(BlockFormat.Q8_0, data, 32, 256));
      pack(panels, routine, stacked, arena);
      channel.truncate(0);
      assertThrows(InternalError.class, () -> pack(panels, routine, stacked, arena));
    }
  }

  /// Over ones.
  static PanelWeights pack(
      PackedPanels panels, Routine routine, List<WeightMatrix> stacked, Arena arena) {
    int blocks = Math.ceilDiv(stacked.getFirst().inputs(), panels.inputs());
    int outputs = stacked.stream().mapToInt(WeightMatrix::outputs).sum();
    PanelWeights packed =
        PanelWeights.allocate(panels.outputs(), panels.bytes(blocks), outputs, blocks, arena);
    packed.data().fill((byte) -1);
    packed.write(panels.packing(routine), blocks * panels.inputs(), stacked, Workers.sequential());
    return packed;
  }

  /// Bits in no order, at odd addresses.
  ///
  /// @param anyScale whether scales are so too, in planes and within blocks: infinities, NaN and
  ///   subnormals
  static List<WeightMatrix> matrices(
      BlockFormat format, List<Integer> rows, int inputs, boolean anyScale, Arena arena) {
    List<WeightMatrix> matrices = new ArrayList<>();
    Random random = new Random(rows.hashCode() + inputs);
    for (int outputs : rows) {
      WeightMatrix w = LinearData.random(arena, format, 1, outputs, inputs, random.nextLong()).w();
      MemorySegment data = atOdd(w.data(), arena);
      MemorySegment scales = atOdd(w.scales(), arena);
      if (anyScale) {
        anyBits(data, format, random);
        anyBits(scales, format, random);
      }
      matrices.add(new WeightMatrix(format, data, scales, outputs, inputs));
    }
    return matrices;
  }

  private static MemorySegment atOdd(MemorySegment data, Arena arena) {
    return arena.allocate(data.byteSize() + 1, 64).asSlice(1).copyFrom(data);
  }

  private static void anyBits(MemorySegment data, BlockFormat format, Random random) {
    for (long at = 0; at < data.byteSize(); at++) {
      data.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
    }
    for (long at = 0; at + format.blockBytes() <= data.byteSize(); at += format.blockBytes()) {
      if (format.equals(BlockFormat.F32) && random.nextInt(4) > 0) {
        data.set(ValueLayout.JAVA_INT_UNALIGNED, at, FLOATS[random.nextInt(FLOATS.length)]);
      } else if (format.equals(BlockFormat.F16) && random.nextInt(4) > 0) {
        data.set(
            ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) HALVES[random.nextInt(HALVES.length)]);
      }
    }
  }

  /// Ties of BF16, below an even number and an odd one; NaN with a payload in either half;
  /// infinity; what rounds to it.
  private static final int[] FLOATS = {
    0x3F80_8000, 0xBF81_8000, 0x7F80_0001, 0xFF83_C000, 0x7FFF_FFFF, 0xFF80_0000, 0x7F7F_FFFF
  };

  /// The same.
  private static final int[] HALVES = {0x3C04, 0xBC0C, 0x7C01, 0xFC06, 0x7FFF, 0xFC00, 0x7BFF};
}
