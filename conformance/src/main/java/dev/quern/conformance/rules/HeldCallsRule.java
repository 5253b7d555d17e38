package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Gate;
import dev.quern.conformance.run.HeldCall;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.Watchdog;
import dev.quern.data.Workers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Rule P12: no call waits for another. Calls are held in the middle, by their workers, and others
/// must come to their end meanwhile: on the same kernel, and on another of the same provider. So a
/// lock around a call, or buffers that calls share, are found each time and not by chance.
public record HeldCallsRule<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Calls that are held at the same time: more than a pool of buffers is likely to have.
  private static final int MANY = 17;

  private static final int PARALLELISM = 3;

  /// How long the others may take, which are small.
  public static final Duration LIMIT = Duration.ofSeconds(10);

  Outcome check(C c, Candidate target) throws Exception {
    try (Memory memory = new CanaryMemory()) {
      Run kernel = suite.open(c, target, memory);
      Run otherKernel = suite.open(c, target, memory);
      List<Run> siblings = new ArrayList<>();
      for (int i = 1; i <= MANY; i++) {
        siblings.add(kernel.sibling(c.seed() + i));
      }
      Judgement verdict = new Judgement();
      boolean held = false;
      for (Gate.Place place : Gate.Place.values()) {
        int count = place == Gate.Place.BETWEEN_TASKS ? MANY : 1;
        held |= held(siblings.subList(0, count), place, List.of(kernel, otherKernel), verdict);
      }
      return held ? verdict.outcome() : new Outcome.Skip("the kernel hands out no tasks");
    }
  }

  /// Holds some calls there and lets others run.
  ///
  /// @return whether any was held
  private static boolean held(
      List<Run> toHold, Gate.Place place, List<Run> others, Judgement verdict) throws Exception {
    Duration limit = Lenience.patient(LIMIT);
    List<byte[]> expected = toHold.stream().map(HeldCallsRule::alone).toList();
    List<byte[]> othersExpected = others.stream().map(HeldCallsRule::alone).toList();
    List<HeldCall<byte[]>> calls = new ArrayList<>();
    boolean held = false;
    try {
      for (Run run : toHold) {
        calls.add(HeldCall.of(run, new Gate(PARALLELISM, place)));
        held |= calls.getLast().await(limit);
      }
      for (int i = 0; i < others.size() && held; i++) {
        Run run = others.get(i);
        byte[] beside = Watchdog.once("a call beside one that is held", limit, () -> alone(run));
        Calls.same(verdict, "beside a call that is held", run, othersExpected.get(i), beside);
      }
    } finally {
      calls.forEach(HeldCall::letGo);
    }
    for (int i = 0; i < calls.size(); i++) {
      byte[] result = calls.get(i).result(limit);
      Calls.same(verdict, "held in the middle", toHold.get(i), expected.get(i), result);
    }
    return held;
  }

  private static byte[] alone(Run run) {
    return run.call(Workers.sequential(), Prefill.NAN);
  }
}
