package dev.quern.provider.x86.memory;

import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NativeRoutinesTest {
  /// Writes a number to its block, after so many instructions that do nothing.
  private static Code writes(int number, int before) {
    Assembler a = new Assembler(Set.of());
    for (int i = 0; i < before; i++) {
      a.emit(Op.ADD, RDI, 0);
    }
    a.emit(Op.MOV, ptr(RDI).sized(8), number);
    a.end();
    return a.code();
  }

  @Test
  void eachCodeIsARoutine() throws Exception {
    Host.features();
    List<Routine> routines =
        NativeRoutines.load(IntStream.range(0, 9).mapToObj(i -> writes(i, 7 * i)).toList());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(JAVA_LONG);
      for (int i = 0; i < 9; i++) {
        routines.get(i).call(block.address(), block, block, block);
        assertEquals(i, block.get(JAVA_LONG, 0));
      }
    }
  }

  /// Whose memory is closed is told so, and the code does not run on it.
  @Test
  void operandsMustBeOpen() throws Exception {
    Host.features();
    Routine routine = NativeRoutines.load(List.of(writes(1, 0))).getFirst();
    Arena arena = Arena.ofConfined();
    MemorySegment block = arena.allocate(JAVA_LONG);
    long address = block.address();
    arena.close();
    assertThrows(IllegalStateException.class, () -> routine.call(address, block, block, block));
  }

  @Test
  void codeGoesWithItsRoutines() throws Exception {
    Host.features();
    load(1); // whatever the first one maps besides
    long before = mappings();
    List<Routine> last = load(300);
    assertTrue(mappings() >= before + 300, "each piece is a mapping at least");
    last = null;
    for (int i = 0; i < 100 && mappings() > before + 50; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertTrue(mappings() <= before + 50, () -> "mappings stay: " + before + " before");
  }

  private static List<Routine> load(int times) throws RefusedException {
    List<List<Routine>> all = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      all.add(NativeRoutines.load(List.of(writes(i, 0))));
    }
    return all.stream().flatMap(List::stream).toList();
  }

  private static long mappings() {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
