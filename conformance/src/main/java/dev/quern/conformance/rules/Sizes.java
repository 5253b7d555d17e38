package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Schedule;
import java.math.BigInteger;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/// The sizes that all operators draw from. Integers shrink towards the smallest.
public final class Sizes {
  /// Sizes around vector and tile widths, powers of two, and primes.
  private static final int[] NOTABLE = {
    1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 32, 33, 47, 63, 64, 65, 67, 96, 97, 127,
    128, 129, 191, 255, 256, 257, 383, 509, 511, 512, 513
  };

  private Sizes() {}

  /// 1 to `max`: a third each small, notable, and any. All shrink alike, through every smaller
  /// size.
  public static Arbitrary<Integer> near(int max) {
    int[] notable = Arrays.stream(NOTABLE).filter(n -> n <= max).toArray();
    return Arbitraries.integers()
        .between(1, max)
        .withDistribution((genSize, from, to, center) ->
            random ->
                BigInteger.valueOf(
                    switch (random.nextInt(3)) {
                      case 0 -> 1 + random.nextInt(Math.min(16, max));
                      case 1 -> notable[random.nextInt(notable.length)];
                      default -> 1 + random.nextInt(max);
                    }));
  }

  /// 1 to 33, and at times 64 or 100.
  public static Arbitrary<Integer> rows() {
    return Arbitraries.frequencyOf(
        Tuple.of(12, Arbitraries.integers().between(1, 33)), Tuple.of(1, Arbitraries.of(64, 100)));
  }

  /// Floats between two rows: mostly none.
  public static Arbitrary<Integer> pad() {
    return Arbitraries.frequencyOf(
        Tuple.of(2, Arbitraries.just(0)), Tuple.of(1, Arbitraries.integers().between(0, 19)));
  }

  /// Mostly few workers, at times as many as 64.
  public static Arbitrary<Schedule> schedule() {
    Arbitrary<Integer> workers =
        Arbitraries.integers()
            .between(1, Schedule.MOST_WORKERS)
            .withDistribution((genSize, from, to, center) ->
                random ->
                    BigInteger.valueOf(
                        1 + random.nextInt(random.nextInt(4) > 0 ? 7 : Schedule.MOST_WORKERS)));
    return Combinators.combine(workers, Arbitraries.of(Schedule.Order.class)).as(Schedule::new);
  }

  /// Seeds don't shrink: a smaller one is not a smaller case.
  public static Arbitrary<Long> seed() {
    return Arbitraries.longs().between(1, 1_000_000_000).withoutEdgeCases().dontShrink();
  }
}
