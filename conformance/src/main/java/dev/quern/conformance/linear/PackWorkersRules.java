package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Schedule.Order;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.FailureRules;
import dev.quern.conformance.rules.HeldCallsRule;
import dev.quern.conformance.rules.OwnThreadsRules;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.FailingWorkers;
import dev.quern.conformance.run.Gate;
import dev.quern.conformance.run.HeldCall;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.conformance.run.Watchdog;
import dev.quern.data.Workers;
import java.time.Duration;
import java.util.List;

/// Rules P11, P12, P13 and P18 for `pack`, which has workers as calls do.
final class PackWorkersRules {
  private PackWorkersRules() {}

  static List<Rule<LinearCase>> rules() {
    return List.of(
        Rule.<LinearCase>of("P11", "pack_any_schedule", PackWorkersRules::anySchedule)
            .effort(Rule.Effort.HALF),
        Rule.<LinearCase>of("P12", "no_call_waits_for_pack", PackWorkersRules::noCallWaits)
            .effort(Rule.Effort.LOW),
        Rule.<LinearCase>of("P13", "pack_callers_threads", PackWorkersRules::callersThreads)
            .effort(Rule.Effort.LOW),
        Rule.<LinearCase>of("P18", "failing_pack", PackWorkersRules::failingPack)
            .effort(Rule.Effort.LOW));
  }

  /// Whoever packs, the kernel computes the same.
  private static Outcome anySchedule(LinearCase c, Candidate target) {
    Mix mix = new Mix(c.seed(), CaseText.write(c));
    Order[] orders = Order.values();
    List<Schedule> schedules =
        List.of(
            Schedule.ONE,
            new Schedule(3, Order.REVERSED),
            new Schedule(Schedule.MOST_WORKERS, Order.SHUFFLED),
            new Schedule(1 + mix.below(8), Order.THREADS),
            new Schedule(1 + mix.below(8), orders[mix.below(orders.length - 1)]),
            new Schedule(
                1 + mix.below(Schedule.MOST_WORKERS), orders[mix.below(orders.length - 1)]));
    try (Memory memory = new CanaryMemory()) {
      LinearRun run = LinearRun.open(c, target, memory);
      byte[] expected = call(run);
      Judgement verdict = new Judgement();
      for (Schedule schedule : schedules) {
        try (TestWorkers workers = TestWorkers.of(schedule, c.seed())) {
          byte[] result = call(run.repacked(target, workers));
          Calls.same(verdict, "packed by workers " + schedule, run, expected, result);
        }
      }
      return verdict.outcome();
    }
  }

  /// A kernel is called while another is held in the middle of being packed.
  private static Outcome noCallWaits(LinearCase c, Candidate target) throws Exception {
    Duration limit = Lenience.patient(HeldCallsRule.LIMIT);
    try (Memory memory = new CanaryMemory()) {
      LinearRun run = LinearRun.open(c, target, memory);
      byte[] expected = call(run);
      Judgement verdict = new Judgement();
      Gate gate = new Gate(3, Gate.Place.BETWEEN_TASKS);
      HeldCall<LinearRun> pack = HeldCall.begin(gate, () -> run.repacked(target, gate));
      boolean held = pack.await(limit);
      try {
        byte[] beside = Watchdog.once("a call beside a pack", limit, () -> call(run));
        Calls.same(verdict, "beside a pack that is held", run, expected, beside);
      } finally {
        pack.letGo();
      }
      Calls.same(verdict, "packed with a break", run, expected, call(pack.result(limit)));
      return held ? verdict.outcome() : new Outcome.Skip("the packer hands out no tasks");
    }
  }

  private static Outcome callersThreads(LinearCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(new Schedule(4, Order.REVERSED), c.seed())) {
      LinearRun run = LinearRun.open(c, target, memory);
      Judgement verdict = new Judgement();
      OwnThreadsRules.noOtherThread("each pack", () -> run.repacked(target, workers), verdict);
      return verdict.outcome();
    }
  }

  /// Workers that fail at one task of a pack, and an allocator that has no more memory. The failure
  /// must come out as it is; then another pack must work, and the kernel that was there before.
  private static Outcome failingPack(LinearCase c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      LinearRun run = LinearRun.open(c, target, memory);
      byte[] expected = call(run);
      Judgement verdict = new Judgement();
      Mix mix = new Mix(c.seed(), CaseText.write(c));
      boolean failed = false;
      for (int parallelism : FailureRules.PARALLELISM) {
        FailingWorkers workers = new FailingWorkers(parallelism);
        run.repacked(target, workers);
        for (FailingWorkers.Place place : workers.places()) {
          failed = true;
          Throwable failure = FailureRules.failure(mix);
          workers.failAt(place, failure);
          FailureRules.letsOut(
              failure, place + " of pack", () -> run.repacked(target, workers), verdict);
        }
      }
      if (run.packedBytes() > 0) {
        failed = true;
        OutOfMemoryError none = new OutOfMemoryError("of the allocator");
        FailureRules.letsOut(
            none,
            "the allocator of pack",
            () ->
                run.repacked(
                    target,
                    (bytes, alignment) -> {
                      throw none;
                    },
                    Workers.sequential()),
            verdict);
      }
      Calls.same(verdict, "the kernel before a pack that failed", run, expected, call(run));
      byte[] after = call(run.repacked(target, Workers.sequential()));
      Calls.same(verdict, "packed after a pack that failed", run, expected, after);
      return failed
          ? verdict.outcome()
          : new Outcome.Skip("the packer neither hands out tasks nor allocates");
    }
  }

  private static byte[] call(LinearRun run) {
    return run.call(Workers.sequential(), Prefill.NAN);
  }
}
