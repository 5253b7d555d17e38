package dev.quern.conformance.run;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// Looks for threads that work whenever something is called, and rest while it is not: a pool that
/// was there before, to which a call hands work. By the time of the CPU that each thread of the JVM
/// has had. The suite's own are passed over ([SuiteThreads]). Others work at any time, and so not
/// in that pattern. A native library's own threads are not seen.
public final class BusyThreads {
  /// Calls, then rest, so often; the first without anybody beside it ends it.
  private static final int ROUNDS = 25;

  /// Rests in which a pool's thread may be seen at work, having begun late. Not in the first, after
  /// which few others are left.
  private static final int RESTLESS = 4;

  /// A rest is so many times as long as the calls before it. A thread that works on and on, on a
  /// core that it shares with many, is busy in one of four of these rests or more.
  private static final int RESTS = 3;

  /// Calls of a round.
  private static final int CALLS = 10;

  /// How long after a call what it handed over may begin.
  private static final Duration LATER = Duration.ofNanos(500_000);

  /// How long that may take where threads are suspected already: cores may be busy.
  private static final Duration MUCH_LATER = Duration.ofMillis(20);

  /// All rounds, at most: where so much else goes on that it takes longer, nothing is said.
  private static final Duration ALL = Duration.ofSeconds(3);

  private static final Duration SETTLED = Duration.ofMillis(1);

  private final ThreadMXBean threads;

  /// In how many rests a thread was seen at work.
  private final Map<Long, Integer> restless = new HashMap<>();

  /// Threads with work of their own.
  private final Set<Long> others = new HashSet<>();

  private BusyThreads(ThreadMXBean threads) {
    this.threads = threads;
  }

  /// The name of such a thread, if there is one and this JVM counts the time of threads.
  public static Optional<String> beside(Runnable call) {
    return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads
            && threads.isThreadCpuTimeSupported()
            && threads.isThreadCpuTimeEnabled()
        ? new BusyThreads(threads).find(call)
        : Optional.empty();
  }

  /// Of a pool one thread or another may have got the work, so that any is enough in each round.
  private Optional<String> find(Runnable call) {
    List<Set<Long>> rounds = new ArrayList<>();
    long first = System.nanoTime();
    while (rounds.size() < ROUNDS) {
      long begin = System.nanoTime();
      Set<Long> busy = busyWith(call, rounds.isEmpty() ? LATER : MUCH_LATER);
      if (busy.isEmpty() || begin - first > ALL.toNanos()) {
        return Optional.empty();
      }
      rest(RESTS * (System.nanoTime() - begin), rounds.isEmpty() ? 0 : RESTLESS);
      rounds.add(busy);
    }
    rounds.forEach(busy -> busy.removeAll(others));
    return rounds.stream().anyMatch(Set::isEmpty)
        ? Optional.empty()
        : rounds.getLast().stream()
            .map(id -> threads.getThreadInfo(id))
            .filter(Objects::nonNull)
            .map(ThreadInfo::getThreadName)
            .findFirst();
  }

  /// Who works along with some calls, or at most so much later.
  private Set<Long> busyWith(Runnable call, Duration later) {
    Map<Long, Long> before = times();
    for (int i = 0; i < CALLS; i++) {
      call.run();
    }
    long end = System.nanoTime() + later.toNanos();
    Set<Long> busy;
    do {
      LockSupport.parkNanos(LATER.toNanos());
      busy = busySince(before);
      busy.removeAll(others);
    } while (busy.isEmpty() && System.nanoTime() < end);
    return busy;
  }

  /// Who works on while nothing is called, in more than so many rests, has other work.
  private void rest(long nanos, int restful) {
    LockSupport.parkNanos(SETTLED.toNanos());
    Map<Long, Long> before = times();
    LockSupport.parkNanos(nanos);
    for (long id : busySince(before)) {
      if (restless.merge(id, 1, Integer::sum) > restful) {
        others.add(id);
      }
    }
  }

  private Set<Long> busySince(Map<Long, Long> before) {
    Set<Long> busy = new HashSet<>();
    times()
        .forEach((id, nanos) -> {
          if (nanos > before.getOrDefault(id, nanos)) {
            busy.add(id);
          }
        });
    return busy;
  }

  /// Nanoseconds of the CPU that each other thread has had.
  private Map<Long, Long> times() {
    long[] ids =
        Arrays.stream(threads.getAllThreadIds())
            .filter(id -> id != Thread.currentThread().threadId() && !SuiteThreads.has(id))
            .toArray();
    long[] nanos = threads.getThreadCpuTime(ids);
    Map<Long, Long> times = new HashMap<>();
    for (int i = 0; i < ids.length; i++) {
      times.put(ids[i], nanos[i]);
    }
    return times;
  }
}
