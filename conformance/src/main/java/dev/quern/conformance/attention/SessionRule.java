package dev.quern.conformance.attention;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.TestWorkers;
import java.util.Locale;

/// Rule P12, on one attention kernel that serves two sessions: caches that grow, are rewound, are
/// written over, and whose memory goes to other sessions. The positions in use are always those
/// that the kernel itself has appended, and each call is judged by what the cache then holds.
final class SessionRule {
  private SessionRule() {}

  /// Positions to rewind to and to grow into, and numbers that leave every score in rule A6's
  /// range.
  static AttentionCase shape(AttentionCase c) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "append=false,rows=%d,spare=%d,values=normal,qExponent=0,scaleExponent=0",
            Math.min(c.rows(), 6),
            c.spare() + 4));
  }

  static Outcome check(AttentionCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun one = AttentionRun.open(c, target, memory);
      AttentionRun two = (AttentionRun) one.sibling(c.seed() + 1);
      one.clear();
      two.clear();
      return new Sequence(c, workers, new Judgement()).run(one, two).outcome();
    }
  }

  /// The calls, in their order.
  private record Sequence(AttentionCase c, TestWorkers workers, Judgement verdict) {
    Judgement run(AttentionRun one, AttentionRun two) {
      int rows = c.rows();
      int first = c.firstPosition();
      int end = c.positions();
      int seed = 0;
      one = call("a prompt", one.then(true, end, 0, ++seed));
      call("its last rows", one.then(false, rows, first, ++seed));
      two = call("a prompt of a second session", two.then(true, end, 0, end + 2, ++seed));
      int asked = ++seed;
      AttentionRun again = call("its last rows", two.then(false, rows, first, asked));
      byte[] result = again.result();

      call("a token of the first session", one.then(true, 1, end, ++seed));
      call("attention of that token", one.then(false, 1, end, ++seed));
      again = call("the second session's rows again", two.then(false, rows, first, asked));
      Calls.same(verdict, "the second session's rows again", again, result, again.result());

      int back = end / 2;
      int others = Math.min(2, end - back);
      call("other tokens after a rewind", one.then(true, others, back, ++seed));
      call("attention of the last one", one.then(false, 1, back + others - 1, ++seed));
      call("attention of rows after them", one.then(false, rows, first, ++seed));
      call("one row at position 0", one.then(false, 1, 0, ++seed));

      call("a token of the second session", two.then(true, 1, end, ++seed));
      call("attention of that token", two.then(false, 1, end, ++seed));

      one.copyCache(two, end);
      call("attention over what the caller copied", one.then(false, rows, first, ++seed));
      call("and in the second session", two.then(false, rows, first, ++seed));

      call("another token of the first session", one.then(true, 1, end, ++seed));
      one.copyCache(two, end + 1);
      call("attention over what the caller put there since", one.then(false, 1, end, ++seed));

      one.clear();
      one = call("a prompt in a cleared cache", one.then(true, end, 0, ++seed));
      call("its last rows", one.then(false, rows, first, ++seed));
      one = call("a smaller cache in its memory", one.then(true, end, 0, end + 1, ++seed));
      call("its last rows", one.then(false, rows, first, ++seed));
      return verdict;
    }

    private AttentionRun call(String what, AttentionRun run) {
      byte[] result = run.call(workers, Prefill.NAN);
      verdict.add(what, run.withinBounds(result));
      run.strayWrite().ifPresent(w -> verdict.fail(what + ": " + w, "unchanged", "written to"));
      run.changedInput().ifPresent(w -> verdict.fail(what + ": " + w, "unchanged", "written to"));
      return run;
    }
  }
}
