package dev.quern.llama;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// What a sequence does with a step.
final class Choice {
  final Sequence sequence;
  final List<MemorySegment> logits;
  Sequence.Gain gain; // null until it is made, and where it failed
  Throwable failure; // null where it did not

  Choice(Sequence sequence, List<MemorySegment> logits) {
    this.sequence = sequence;
    this.logits = logits;
  }

  void make() {
    try {
      gain = sequence.accept(logits);
    } catch (Throwable t) { // a stranger's hook or cancellation: this request's failure
      failure = t;
    }
  }
}
