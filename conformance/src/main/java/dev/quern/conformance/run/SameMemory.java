package dev.quern.conformance.run;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory that is handed out twice: after [#rewind] those who ask for the same get the same again,
/// with what it holds.
public final class SameMemory implements Memory {
  private record Piece(String name, long bytes, long alignment, MemorySegment segment) {}

  private final Memory memory;
  private final List<Piece> pieces = new ArrayList<>();
  private int next;
  private boolean rewound;
  private boolean same = true;

  /// @param memory what is handed out; closed with this
  public SameMemory(Memory memory) {
    this.memory = memory;
  }

  /// From now on all is handed out again.
  public synchronized void rewind() {
    rewound = true;
    next = 0;
  }

  /// Whether all that was asked for the second time had been asked for the first time, in the same
  /// order.
  public synchronized boolean same() {
    return same && next == pieces.size();
  }

  @Override
  public synchronized MemorySegment allocate(String name, long bytes, long alignment) {
    if (!rewound) {
      MemorySegment segment = memory.allocate(name, bytes, alignment);
      pieces.add(new Piece(name, bytes, alignment, segment));
      return segment;
    }
    Piece piece = next < pieces.size() ? pieces.get(next++) : null;
    if (piece == null
        || !piece.name.equals(name)
        || piece.bytes != bytes
        || piece.alignment != alignment) {
      same = false;
      return memory.allocate(name, bytes, alignment);
    }
    return piece.segment;
  }

  @Override
  public List<Overrun> overruns() {
    return memory.overruns();
  }

  @Override
  public void close() {
    memory.close();
  }
}
