package dev.quern.conformance.attention;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.TwoGibRules;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import java.lang.foreign.MemorySegment;

/// Rule P5 on planes of a cache of more than 2 GiB: see [TwoGibRules].
final class TwoGibRule {
  private TwoGibRule() {}

  static Rule<AttentionCase> rule() {
    return TwoGibRules.<AttentionCase>rule(TwoGibRule::check)
        .on(c ->
            CaseText.with(
                AttentionCase.of(c.kvFormat()),
                "kvHeads=3,group=2,headDim=256,firstPosition=6,schedule=2/threads"));
  }

  /// The last KV head lies beyond 2 GiB. Its last position, and that of the others, is appended.
  private static Outcome check(AttentionCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        Memory pages = new GuardPages(target.platform().os(), GuardPages.Side.END);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun small = AttentionRun.open(c, target, memory);
      AttentionData data = small.data();
      long rowBytes = (long) c.headDim() * c.kvFormat().elementBytes();
      int capacity = Math.toIntExact(TwoGibRules.TWO_GIB / (c.kvHeads() - 1) / rowBytes) + 1;
      AttentionCase large = CaseText.with(c, "spare=" + (capacity - c.positions()));
      KvCache cache =
          new KvCache(
              plane(pages, data.keys(), c, capacity),
              plane(pages, data.values(), c, capacity),
              c.kvFormat(),
              capacity);
      AttentionKernel kernel =
          DeclinedException.accepted(target.kernels().attention(large.spec())).kernel();
      Workspace w = TwoGibRules.workspace(kernel, pages, workers);
      F32Matrix k = TwoGibRules.matrix(pages, last(data.keys(), c));
      F32Matrix v = TwoGibRules.matrix(pages, last(data.values(), c));
      kernel.append(k, v, cache, c.firstPosition(), w);
      F32Matrix y = TwoGibRules.matrix(pages, new float[c.heads() * c.headDim()]);
      kernel.apply(TwoGibRules.matrix(pages, data.q()), cache, c.firstPosition(), y, w);
      return small.withinBounds(y.data().toArray(JAVA_BYTE)).outcome();
    }
  }

  /// A plane that holds what a small one holds, but for the last position.
  private static MemorySegment plane(Memory pages, byte[] small, AttentionCase c, int capacity) {
    long rowBytes = (long) c.headDim() * c.kvFormat().elementBytes();
    MemorySegment from = MemorySegment.ofArray(small);
    MemorySegment to = pages.allocate("a plane", c.kvHeads() * capacity * rowBytes, 64);
    for (int head = 0; head < c.kvHeads(); head++) {
      long smallHead = head * c.capacity() * rowBytes;
      TwoGibRules.copy(
          from, smallHead, to, head * capacity * rowBytes, c.firstPosition() * rowBytes);
    }
    return to;
  }

  /// What stands at the last position, `[kvHeads * headDim]`: as floats it is stored unchanged.
  private static float[] last(byte[] plane, AttentionCase c) {
    float[] row = new float[c.kvHeads() * c.headDim()];
    for (int i = 0; i < row.length; i++) {
      int head = i / c.headDim();
      row[i] = (float) AttentionData.get(plane, c, head, c.firstPosition(), i % c.headDim());
    }
    return row;
  }
}
