package dev.quern.conformance.rows;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.ModelShapes;
import dev.quern.conformance.cases.ModelShapes.Model;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.LargeSizes;
import dev.quern.conformance.rules.ModelSizes;
import dev.quern.conformance.rules.Sizes;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.Subject;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/// What RoPE kernels are tried on: both pairings.
final class RopeCases {
  /// How large each dimension gets in models, by size.
  static final Map<String, List<Integer>> SIZES =
      Map.of(
          "heads", ModelShapes.sizes(List.of(Model::heads)),
          "headDim", ModelShapes.sizes(List.of(Model::headDim)),
          "positions", ModelShapes.sizes(List.of(Model::context)),
          "rows", LargeSizes.ROWS);

  private RopeCases() {}

  static List<Subject<RopeCase>> subjects() {
    return Arrays.stream(RopePairing.values())
        .map(pairing ->
            new Subject<>(
                label(pairing),
                edges(RopeCase.of(pairing)),
                () -> arbitrary(pairing),
                () -> modelSizes(RopeCase.of(pairing))))
        .toList();
  }

  /// As cases and declarations write it: `half-split`.
  static String label(RopePairing pairing) {
    return pairing.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<RopeCase> edges(RopeCase first) {
    return Stream.of(
            "rows=1",
            "heads=3,halfDim=33,rows=24",
            "heads=2,halfDim=32,rows=33",
            "heads=1,halfDim=64,firstPosition=4000",
            "heads=2,halfDim=5,rows=4,firstPosition=7,spare=3,xPad=5,tablePad=3",
            "heads=2,halfDim=8,rows=2,firstPosition=1,x=one-hot",
            "heads=4,halfDim=8,rows=9,schedule=4/threads")
        .map(changes -> CaseText.with(first, changes))
        .toList();
  }

  private static Arbitrary<RopeCase> arbitrary(RopePairing pairing) {
    return Combinators.combine(
            Arbitraries.integers().between(1, 9),
            Sizes.near(80),
            Sizes.rows(),
            Arbitraries.frequencyOf(
                Tuple.of(1, Arbitraries.just(0)), Tuple.of(3, Sizes.near(5000))),
            Combinators.combine(Sizes.pad(), Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(Values.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((heads, halfDim, rows, first, pads, x, schedule, seed) ->
            new RopeCase(
                pairing,
                heads,
                halfDim,
                rows,
                first,
                pads.get(0),
                pads.get(1),
                pads.get(2),
                x,
                schedule,
                seed));
  }

  private static ModelSizes<RopeCase> modelSizes(RopeCase first) {
    int rows = LargeSizes.ROWS.getLast();
    int positions = SIZES.get("positions").getLast();
    int heads = SIZES.get("heads").getLast();
    int headDim = SIZES.get("headDim").getLast();
    List<RopeCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format(
                    "heads=%d,halfDim=4,rows=5,firstPosition=%d", heads + 1, positions + 3),
                LargeSizes.format("heads=3,halfDim=33,rows=%d,firstPosition=200", rows + 3),
                LargeSizes.format(
                    "heads=2,halfDim=%d,rows=33,firstPosition=1500,xPad=3", headDim + 1)),
            ModelShapes.models().stream()
                .flatMap(m -> Stream.of(m.heads(), m.kvHeads()).map(n -> rope(n, m.headDim()))),
            List.of(
                rope(2, 2 * headDim),
                LargeSizes.format(
                    "heads=2,halfDim=2,rows=515,firstPosition=%d,tablePad=1", 2 * positions),
                LargeSizes.format("heads=8,halfDim=5,rows=2,firstPosition=7,spare=%d", positions),
                LargeSizes.format("heads=%d,halfDim=64,rows=129,firstPosition=8190", heads),
                LargeSizes.format("heads=%d,halfDim=64,rows=2051", heads), // more than 2^24 numbers
                LargeSizes.format(
                    "heads=1,halfDim=64,rows=1,firstPosition=%d", positions))); // so has a table
    return new ModelSizes<>(edges, mix -> drawn(first, mix));
  }

  private static String rope(int heads, int headDim) {
    return LargeSizes.format("heads=%d,halfDim=%d,rows=3,firstPosition=500", heads, headDim / 2);
  }

  private static RopeCase drawn(RopeCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s ->
                2L * s[0] * s[1] * s[2] <= LargeSizes.NUMBERS / 2
                    && 2L * ((long) s[2] + s[3] + s[4]) * s[1] <= LargeSizes.NUMBERS,
            List.of(
                SIZES.get("heads"),
                SIZES.get("headDim"), // pairs
                LargeSizes.ROWS,
                SIZES.get("positions"),
                SIZES.get("positions")));
    return CaseText.with(
        first,
        LargeSizes.format(
            "heads=%d,halfDim=%d,rows=%d,firstPosition=%d,spare=%d,xPad=%d,tablePad=%d,x=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3] - 1,
            sizes[4] - 1,
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            LargeSizes.values(mix, Values.NORMAL, Values.WIDE),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    RopeSpec s = (RopeSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    int all = wanted.context();
    long position = (long) SpecCases.COPIES * s.headDim() * Float.BYTES;
    int far = (int) Math.min(all, wanted.budget().bytes() / position);
    int batch = Math.min(SpecCases.BATCH, far);
    made.add(call(s, 1, far - 1, wanted.seed()), "1 row at position %,d", far - 1);
    made.add(
        call(s, batch, far - batch, wanted.seed()), "%d rows at position %,d", batch, far - batch);
    if (far < all) {
      made.tooLarge("positions above %,d, to a context of %,d", far, all);
    }
    return made.made("%s %d heads of %d", label(s.pairing()), s.heads(), s.headDim());
  }

  private static RopeCase call(RopeSpec s, int rows, int firstPosition, long seed) {
    return new RopeCase(
        s.pairing(),
        s.heads(),
        s.headDim() / 2,
        rows,
        firstPosition,
        0,
        0,
        0,
        Values.NORMAL,
        SpecCases.WORKERS,
        seed);
  }

  /// What is called until it is compiled.
  static List<CompiledCases<RopeCase>> compiled() {
    List<String> shapes =
        List.of("heads=2,halfDim=16", "heads=3,halfDim=19,firstPosition=5", "heads=16,halfDim=32");
    return Arrays.stream(RopePairing.values())
        .map(pairing -> new CompiledCases<>(List.of(RopeCase.of(pairing)), shapes))
        .toList();
  }
}
