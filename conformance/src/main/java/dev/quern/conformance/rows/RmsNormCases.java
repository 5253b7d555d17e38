package dev.quern.conformance.rows;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.ModelShapes;
import dev.quern.conformance.cases.ModelShapes.Model;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.rules.LargeSizes;
import dev.quern.conformance.rules.ModelSizes;
import dev.quern.conformance.rules.Sizes;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.Subject;
import dev.quern.op.RmsNormSpec;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// What RMSNorm kernels are tried on.
final class RmsNormCases {
  /// How large each dimension gets in models, by size.
  static final Map<String, List<Integer>> SIZES =
      Map.of("width", ModelShapes.sizes(List.of(Model::hidden)), "rows", LargeSizes.ROWS);

  /// Of norms and of gates: norms that stand in feed-forward networks are as wide.
  static final List<Integer> WIDTHS =
      ModelShapes.sizes(List.of(Model::hidden, Model::intermediate));

  private RmsNormCases() {}

  static List<Subject<RmsNormCase>> subjects() {
    RmsNormCase first = RmsNormCase.smallest();
    return List.of(
        new Subject<>(
            "F32",
            Stream.of(
                    "width=1",
                    "width=259,rows=24",
                    "width=64,rows=33",
                    "width=4096,x=extreme",
                    "width=5,rows=4,xPad=3,yPad=1,epsilon=0.0",
                    "width=17,rows=2,inPlace=true,xPad=2",
                    "width=31,rows=9,schedule=4/threads",
                    "width=8,rows=2,x=zero")
                .map(changes -> CaseText.with(first, changes))
                .toList(),
            RmsNormCases::arbitrary,
            () -> modelSizes(first)));
  }

  private static Arbitrary<RmsNormCase> arbitrary() {
    return Combinators.combine(
            Sizes.near(600),
            Arbitraries.of(1e-5f, 0f, 1e-6f, 1f),
            Sizes.rows(),
            Combinators.combine(Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(false, true),
            // Of magnitudes below 2^-50 rule N1 says nothing.
            Arbitraries.of(Values.class).filter(v -> v != Values.SUBNORMAL),
            Sizes.schedule(),
            Sizes.seed())
        .as((width, epsilon, rows, pads, inPlace, x, schedule, seed) ->
            new RmsNormCase(
                width, epsilon, rows, pads.get(0), pads.get(1), inPlace, x, schedule, seed));
  }

  private static ModelSizes<RmsNormCase> modelSizes(RmsNormCase first) {
    int rows = LargeSizes.ROWS.getLast();
    int largest = WIDTHS.getLast();
    List<RmsNormCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format("width=%d,rows=17,x=window", largest + 3),
                LargeSizes.format("width=1031,rows=%d", rows + 3),
                LargeSizes.format("width=%d,rows=3,x=window,inPlace=true,xPad=3", 2 * largest + 1)),
            WIDTHS.stream().map(w -> LargeSizes.format("width=%d,rows=3,x=window", w)),
            List.of(
                "width=131072,rows=2,x=window",
                "width=5120,rows=130,epsilon=0.0,x=window,xPad=7,yPad=1",
                "width=8192,rows=65,x=one-hot",
                "width=16384,rows=40,x=outlier",
                LargeSizes.format("width=%d,rows=457", largest + 3))); // more than 2^24 numbers
    return new ModelSizes<>(edges, mix -> drawn(first, mix));
  }

  private static RmsNormCase drawn(RmsNormCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix, s -> (long) s[0] * s[1] <= LargeSizes.NUMBERS, List.of(WIDTHS, LargeSizes.ROWS));
    return CaseText.with(
        first,
        LargeSizes.format(
            "width=%d,rows=%d,epsilon=%s,xPad=%d,yPad=%d,inPlace=%b,x=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            LargeSizes.any(mix, List.of("1.0E-5", "0.0", "1.0")),
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            mix.oneIn(2),
            LargeSizes.values(mix, Values.WINDOW, Values.WINDOW, Values.NORMAL, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    RmsNormSpec s = (RmsNormSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    for (int rows : new int[] {1, SpecCases.BATCH}) {
      made.add(
          new RmsNormCase(
              s.width(),
              s.epsilon(),
              rows,
              0,
              0,
              false,
              Values.NORMAL,
              SpecCases.WORKERS,
              wanted.seed()));
    }
    return made.made("width %d, epsilon %s", s.width(), s.epsilon());
  }
}
