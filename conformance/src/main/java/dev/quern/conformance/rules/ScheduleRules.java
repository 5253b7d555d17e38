package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Schedule.Order;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Rule P11: however many the workers are and whoever takes which task when, the result has the
/// bits that one worker gives.
record ScheduleRules<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Workers that most machines have, of which each case tries half.
  private static final int FEW = 8;

  private static final List<Order> ONE_THREAD =
      Arrays.stream(Order.values()).filter(o -> o != Order.THREADS).toList();

  /// Some counts and orders, drawn by the case: over a subject's cases all of them come.
  Outcome anySchedule(C c, Candidate target) {
    Mix mix = new Mix(c.seed(), CaseText.write(c));
    List<Schedule> schedules = new ArrayList<>();
    schedules.add(new Schedule(1 + mix.below(FEW), Order.THREADS));
    int few = mix.below(FEW);
    int many = Schedule.MOST_WORKERS - FEW;
    int more = mix.below(many);
    int order = mix.below(ONE_THREAD.size());
    for (int i = 0; i < 4; i++) {
      schedules.add(new Schedule(1 + (few + i * FEW / 4) % FEW, order(order + 2 * i)));
      schedules.add(new Schedule(1 + FEW + (more + i * many / 4) % many, order(order + 2 * i + 1)));
    }
    return sameBits(c, target, schedules);
  }

  /// All counts from 1 to [Schedule#MOST_WORKERS], each in an order that the case draws, and two of
  /// them with threads.
  Outcome anyCount(C c, Candidate target) {
    Mix mix = new Mix(c.seed(), CaseText.write(c));
    List<Schedule> schedules = new ArrayList<>();
    int first = mix.below(ONE_THREAD.size());
    for (int workers = 1; workers <= Schedule.MOST_WORKERS; workers++) {
      schedules.add(new Schedule(workers, order(first + workers)));
    }
    schedules.add(new Schedule(1 + mix.below(Schedule.MOST_WORKERS), Order.THREADS));
    schedules.add(new Schedule(Schedule.MOST_WORKERS, Order.THREADS));
    return sameBits(c, target, schedules);
  }

  private static Order order(int i) {
    return ONE_THREAD.get(i % ONE_THREAD.size());
  }

  private Outcome sameBits(C c, Candidate target, List<Schedule> schedules) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      byte[] expected = run.call(Workers.sequential(), Prefill.NAN);
      long most = run.kernel().scratchBytes(run.rows(), Schedule.MOST_WORKERS);
      MemorySegment scratch =
          memory.allocate("scratch", Math.max(0, most), Workspace.SCRATCH_ALIGNMENT);
      Judgement verdict = new Judgement();
      for (Schedule schedule : schedules) {
        try (TestWorkers workers = TestWorkers.of(schedule, c.seed())) {
          byte[] result = run.call(workers, Prefill.NAN, scratch);
          Calls.same(verdict, "workers " + schedule, run, expected, result);
        }
      }
      return verdict.outcome();
    }
  }
}
