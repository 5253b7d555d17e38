package dev.quern.conformance.rules;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.ModelShapes;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Sizes as large as those of models, and twice as large: log-uniform, so that each power of two is
/// as likely as the next, and as often as not beside a power of two or a multiple of a tile.
public final class LargeSizes {
  /// Products of a drawn case, at most.
  public static final long PRODUCTS = 1L << 23;

  /// Numbers of an operand of a drawn case, at most.
  public static final long NUMBERS = 1L << 21;

  /// Rows of a call, as [ModelShapes] has sizes.
  public static final List<Integer> ROWS = List.of(ModelShapes.ROWS);

  private static final int[] TILES = {32, 64, 256, 1000};

  /// What part of the largest size counts as large.
  private static final int PART = 16;

  private LargeSizes() {}

  /// A size.
  public static int draw(Mix mix, int from, int to) {
    double factor = StrictMath.pow((double) to / from, mix.uniform());
    int size = (int) Math.round(from * factor);
    int beside = mix.below(3) - 1;
    int tile = TILES[mix.below(TILES.length)];
    return switch (mix.below(4)) {
      case 0 -> Math.clamp(Integer.highestOneBit(size) + beside, from, to);
      case 1 -> Math.clamp(size / tile * tile + beside, from, to);
      default -> size;
    };
  }

  /// Sizes of a case: one of them as large as in models, the others of any size that is affordable
  /// beside it. Those that are not are halved, always the largest.
  ///
  /// @param ofModels the sizes that models have, by size
  public static int[] sizes(Mix mix, Predicate<int[]> affordable, List<List<Integer>> ofModels) {
    int[] sizes = new int[ofModels.size()];
    int kept = mix.below(sizes.length);
    for (int i = 0; i < sizes.length; i++) {
      List<Integer> some = ofModels.get(i);
      sizes[i] = i == kept ? large(mix, some) : draw(mix, 1, 2 * some.getLast());
    }
    fit(sizes, kept, affordable);
    return sizes;
  }

  /// A model's, or from a part of the largest one's to twice as much.
  private static int large(Mix mix, List<Integer> ofModels) {
    int model = ofModels.get(mix.below(ofModels.size()));
    int largest = ofModels.getLast();
    return mix.oneIn(2) ? model : draw(mix, Math.ceilDiv(largest, PART), 2 * largest);
  }

  private static void fit(int[] sizes, int kept, Predicate<int[]> affordable) {
    while (!affordable.test(sizes)) {
      int largest = kept;
      for (int i = 0; i < sizes.length; i++) {
        if (i != kept && sizes[i] > (largest == kept ? 1 : sizes[largest])) {
          largest = i;
        }
      }
      if (sizes[largest] == 1) {
        return;
      }
      sizes[largest] /= 2;
    }
  }

  /// The next multiple of a unit.
  public static int above(int size, int unit) {
    return (size / unit + 1) * unit;
  }

  /// Workers in any number, in most orders.
  public static Schedule schedule(Mix mix) {
    Schedule.Order[] orders = Schedule.Order.values();
    return new Schedule(draw(mix, 1, 64), orders[mix.below(orders.length)]);
  }

  public static int pad(Mix mix) {
    return mix.oneIn(2) ? mix.below(20) : 0;
  }

  public static long seed(Mix mix) {
    return 1 + mix.below(1_000_000_000);
  }

  /// One of them, as a case's text has it.
  public static String values(Mix mix, Values... some) {
    return some[mix.below(some.length)].name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public static String any(Mix mix, List<String> some) {
    return some.get(mix.below(some.size()));
  }

  /// Edge cases: those that reach beyond all models, those that models have, then others. Each has
  /// a seed of its own, another for each subject, which also draws the other workers, the rows that
  /// are tried alone, and where a NaN or an infinity stands.
  public static <C extends Record> List<C> edges(
      C first, List<String> beyond, Stream<String> ofModels, List<String> others) {
    List<String> changes =
        Stream.of(beyond.stream(), ofModels.distinct(), others.stream()).flatMap(s -> s).toList();
    int base = 1000 * new Mix(1, CaseText.write(first)).below(1000);
    return IntStream.range(0, changes.size())
        .mapToObj(i -> changes.get(i) + ",schedule=2/threads,seed=" + (base + i + 1))
        .map(change -> CaseText.with(first, change))
        .toList();
  }

  /// Changes to a case, or a part of them.
  public static String format(String text, Object... sizes) {
    return String.format(Locale.ROOT, text, sizes);
  }
}
