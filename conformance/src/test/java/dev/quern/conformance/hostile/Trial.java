package dev.quern.conformance.hostile;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntBiFunction;

/// A program for [Trials]: hunts providers with the suite's default settings, one after the other,
/// and prints a line as each begins and another as it has died or survived. Providers that end the
/// process or hang take this process with them, and no other.
final class Trial {
  static final String BEGINS = "trial begins\t";
  static final String ENDS = "trial ends\t";

  private static final String ALLOCATION = "P14_";

  /// The checks that were made for what a kind hides behind, as their names begin.
  private static final Map<Kind, List<String>> MADE_FOR =
      Map.of(
          Kind.SIZES, List.of("P5_model_sizes", "P10_scratch_of_models"),
          Kind.STATE, List.of("P12_", "P15_", "P18_"),
          Kind.THREADS, List.of("P11_", "P12_", "P13_", "P18_"),
          Kind.MEMORY, List.of("P7_", "P8_", "P9_", "P10_", "P16_"),
          Kind.FACADE, List.of("L2_", "L3_", "L5_", "P7_", "P10_"));

  private Trial() {}

  /// @param args a file for the case that is being checked; then, for each provider, its id and the
  ///   check and the subject that are most likely to kill it, both `-` where nobody knows
  public static void main(String[] args) {
    Settings settings =
        new Settings(
            Settings.DEFAULT_TRIES,
            Settings.DEFAULT_SEED,
            Optional.empty(),
            Optional.of(Path.of(args[0])));
    for (int i = 1; i < args.length; i += 3) {
      String id = args[i];
      IO.println(BEGINS + id);
      Hostile hostile = Hostiles.byId(id);
      long begin = System.nanoTime();
      Death death;
      try {
        Optional<Hunt.Kill> kill =
            new Hunt(hostile.target(), settings, hostile.operator())
                .byAny(rank(hostile, args[i + 1], args[i + 2]));
        death = Death.of(id, kill, seconds(begin));
      } catch (Throwable e) {
        e.printStackTrace(System.out);
        death = new Death(id, Death.How.ABORTS, "", "", 0, seconds(begin));
      }
      IO.println(ENDS + death.line());
    }
    System.exit(0); // whatever threads a provider has left
  }

  /// What killed it before, then what was made for its kind, on the format that its id names first,
  /// then the rule that names its fault, then the others; and allocation last: it takes seconds a
  /// case, and a fault that allocates is found for what it is. What is around a generated fault
  /// allocates as well, so these are not asked at all.
  private static ToIntBiFunction<String, String> rank(
      Hostile hostile, String likelyCheck, String likelySubject) {
    return (check, subject) -> {
      if (check.equals(likelyCheck)) {
        return subject.equals(likelySubject) ? 0 : 1;
      } else if (MADE_FOR.get(hostile.kind()).stream().anyMatch(check::startsWith)) {
        return names(hostile, subject) ? 2 : 3;
      } else if (check.startsWith(hostile.rule() + "_")) {
        return 4;
      }
      if (check.startsWith(ALLOCATION)) {
        return Generated.isId(hostile.id()) ? -1 : 6;
      }
      return 5;
    };
  }

  /// Whether the id of the provider names the subject's format, as in `linear-q4-0-...`.
  private static boolean names(Hostile hostile, String subject) {
    String format = subject.split(" ")[0].toLowerCase(Locale.ROOT).replace('_', '-');
    return !format.isEmpty() && hostile.id().contains("-" + format + "-");
  }

  private static double seconds(long begin) {
    return (System.nanoTime() - begin) * 1e-9;
  }
}
