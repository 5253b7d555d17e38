package dev.quern.checked;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class OverlapTest {
  private final MemorySegment buffer = Arena.ofAuto().allocate(4096, 64);

  @Property(tries = 5000, edgeCases = EdgeCasesMode.NONE)
  void viewsWithOneStrideOverlapIfTheyShareAnElement(
      @ForAll @IntRange(max = 40) int aStart,
      @ForAll @IntRange(min = 1, max = 5) int aRows,
      @ForAll @IntRange(min = 1, max = 9) int aCols,
      @ForAll @IntRange(max = 40) int bStart,
      @ForAll @IntRange(min = 1, max = 5) int bRows,
      @ForAll @IntRange(min = 1, max = 9) int bCols,
      @ForAll @IntRange(max = 6) int gap) {
    int stride = Math.max(aCols, bCols) + gap;
    F32Matrix a = view(aStart, aRows, aCols, stride);
    F32Matrix b = view(bStart, bRows, bCols, stride);
    Set<Long> shared = elements(a);
    shared.retainAll(elements(b));
    assertEquals(!shared.isEmpty(), Overlap.of(a, b));
    assertEquals(!shared.isEmpty(), Overlap.of(b, a));
  }

  @Property(tries = 5000, edgeCases = EdgeCasesMode.NONE)
  void viewsWithOtherStridesNeverPassWithASharedElement(
      @ForAll @IntRange(max = 30) int aStart,
      @ForAll @IntRange(min = 1, max = 4) int aRows,
      @ForAll @IntRange(min = 1, max = 9) int aStride,
      @ForAll @IntRange(max = 30) int bStart,
      @ForAll @IntRange(min = 1, max = 4) int bRows,
      @ForAll @IntRange(min = 1, max = 9) int bStride) {
    F32Matrix a = view(aStart, aRows, Math.max(1, aStride - 2), aStride);
    F32Matrix b = view(bStart, bRows, Math.max(1, bStride - 3), bStride);
    Set<Long> shared = elements(a);
    shared.retainAll(elements(b));
    if (!shared.isEmpty()) {
      assertTrue(Overlap.of(a, b));
    } else if (aRows == 1 || bRows == 1) {
      assertFalse(Overlap.of(a, b), "one row has no stride, so the answer is exact");
    }
  }

  @Example
  void columnViewsOfOneBufferInterleave() {
    F32Matrix qkv = view(0, 3, 48, 48);
    assertFalse(Overlap.of(qkv.columnRange(0, 16), qkv.columnRange(16, 32)));
    assertFalse(Overlap.of(qkv.columnRange(32, 48), qkv.columnRange(16, 32)));
    assertTrue(Overlap.of(qkv.columnRange(0, 17), qkv.columnRange(16, 32)));
    assertTrue(Overlap.of(qkv, qkv.columnRange(40, 48)));
  }

  @Example
  void neighboursDoNotOverlap() {
    F32Matrix a = view(0, 2, 8, 8);
    assertFalse(Overlap.of(a, view(16, 2, 8, 8)));
    assertTrue(Overlap.of(a, view(15, 2, 8, 8)));
    assertFalse(Overlap.of(a, buffer.asSlice(64), 100));
    assertTrue(Overlap.of(a, buffer.asSlice(63), 100));
    assertFalse(Overlap.of(a, buffer, 0), "nothing shares no memory");
    assertFalse(Overlap.of(buffer.asSlice(0, 64), buffer.asSlice(64, 64), 64));
    assertTrue(Overlap.of(buffer.asSlice(0, 65), buffer.asSlice(64, 64), 64));
  }

  @Example
  void theSameViewIsNotAnotherOne() {
    F32Matrix a = view(0, 2, 8, 16);
    assertTrue(Overlap.same(a, view(0, 2, 8, 16)));
    assertFalse(Overlap.same(a, view(0, 2, 8, 12)));
    assertFalse(Overlap.same(a, view(0, 2, 7, 16)));
    assertFalse(Overlap.same(a, view(1, 2, 8, 16)));
  }

  private F32Matrix view(int start, int rows, int columns, int stride) {
    return new F32Matrix(buffer.asSlice(start * 4L), rows, columns, stride);
  }

  private static Set<Long> elements(F32Matrix m) {
    Set<Long> addresses = new HashSet<>();
    for (int r = 0; r < m.rows(); r++) {
      for (int c = 0; c < m.columns(); c++) {
        addresses.add(m.data().address() + m.offsetBytes(r, c));
      }
    }
    return addresses;
  }
}
