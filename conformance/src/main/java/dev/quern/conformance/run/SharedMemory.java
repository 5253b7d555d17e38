package dev.quern.conformance.run;

import dev.quern.conformance.cases.Mix;
import dev.quern.data.F32Matrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The operands of one run in two buffers, as applications lay them: matrices are columns of one
/// wide matrix, one beside the other, and the rest lies end to end, with no more between than its
/// alignment asks for, in the order in which they are asked for or the other way round. A write
/// beside an operand then hits another, or canaries.
///
/// ```
/// columns   x x x . . y y y y y . . . . .    `.` canaries
///           x x x . . y y y y y . . . . .
///           . . . . . . . . . . . . . . .
/// others    keys | values,   or   weights 0 | scales 0 | weights 1 | ... | packed weights
/// ```
public final class SharedMemory implements Memory {
  /// Floats between two matrices: none, or some.
  private static final int[] GAPS = {0, 0, 1, 3, 16};

  /// Floats after the last.
  private static final int[] TAILS = {0, 5, 600};

  /// Rows of the buffer below those of the matrices.
  private static final int ROWS_BELOW = 9;

  /// Bytes that alignment may take of the buffer of all others.
  private static final int SPARE_BYTES = 1024;

  private final Memory beside;
  private final MemorySegment columns;
  private final int strideFloats;
  private final List<Operand.Range> gaps = new ArrayList<>(); // in the first row
  private final long lastRow; // the first that is below all matrices
  private final boolean backwards; // what is asked for later lies before
  private final List<MatrixPlace> places = new ArrayList<>();
  private final MemorySegment others;
  private int placed; // matrices
  private long othersEnd; // of those that are handed out; their start, if that goes backwards

  /// @param beside where the buffers lie, and scratch; closed with this
  /// @param like a run of the same case
  /// @param mix of the gaps
  public SharedMemory(Memory beside, Run like, Mix mix) {
    this.beside = beside;
    List<F32Matrix> matrices = like.matrices();
    int[] starts = new int[matrices.size()];
    int stride = 0;
    backwards = mix.oneIn(2);
    for (int n = 0; n < starts.length; n++) {
      int i = backwards ? starts.length - 1 - n : n;
      int gap = n == 0 ? 0 : GAPS[mix.below(GAPS.length)];
      gap(stride, stride + gap);
      starts[i] = stride + gap;
      stride = starts[i] + matrices.get(i).columns();
    }
    int tail = TAILS[mix.below(TAILS.length)];
    gap(stride, stride + tail);
    strideFloats = stride + tail;
    long rows = matrices.stream().mapToInt(F32Matrix::rows).max().orElseThrow();
    lastRow = rows;
    rows += ROWS_BELOW;
    columns = beside.allocate("the columns", 4 * rows * strideFloats, 4);
    CanaryMemory.fill(columns, CANARY);
    for (int start : starts) {
      MemorySegment data = columns.asSlice(4L * start);
      places.add(new MatrixPlace(new Place(data, data), strideFloats, false));
    }
    others = beside.allocate("the others", like.otherBytes() + SPARE_BYTES, 64);
    othersEnd = backwards ? others.byteSize() : 0;
  }

  private void gap(int from, int to) {
    if (from < to) {
      gaps.add(new Operand.Range(4L * from, 4L * to));
    }
  }

  /// The next matrix, whose memory goes on to the end of the buffer.
  @Override
  public synchronized MatrixPlace matrix(
      String name, int rows, int columns, int strideFloats, boolean written) {
    return places.get(placed++);
  }

  @Override
  public synchronized MemorySegment allocate(String name, long bytes, long alignment) {
    long at =
        backwards
            ? Math.floorDiv(othersEnd - bytes, alignment) * alignment
            : Math.ceilDiv(othersEnd, alignment) * alignment;
    if (name.equals("scratch") || at < 0 || at + bytes > others.byteSize()) {
      return beside.allocate(name, bytes, alignment);
    }
    othersEnd = backwards ? at : at + bytes;
    return others.asSlice(at, bytes);
  }

  /// What was written between the columns, and beside the buffers.
  @Override
  public synchronized List<Overrun> overruns() {
    List<Overrun> found = new ArrayList<>(beside.overruns());
    long rowBytes = 4L * strideFloats;
    long below = CanaryMemory.damaged(columns, CANARY, lastRow * rowBytes, columns.byteSize());
    if (below >= 0) {
      String where = String.format(Locale.ROOT, "byte %d below the last row", below);
      found.add(new Overrun("the columns", where));
    }
    for (long row = 0; row < lastRow * rowBytes; row += rowBytes) {
      for (Operand.Range gap : gaps) {
        long at = CanaryMemory.damaged(columns, CANARY, row + gap.from(), row + gap.to());
        if (at >= 0) {
          String where = String.format(Locale.ROOT, "byte %d of a gap", at - row - gap.from());
          found.add(new Overrun("the columns", where));
        }
      }
    }
    return found;
  }

  @Override
  public void close() {
    beside.close();
  }
}
