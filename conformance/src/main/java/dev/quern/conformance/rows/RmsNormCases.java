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

/// What RMSNorm kernels are tried on: whole rows, and rows of several groups.
final class RmsNormCases {
  /// As declarations name them.
  static final String WHOLE_ROWS = "rows";

  static final String GROUPS = "groups";

  /// How large each dimension gets in models, by size. Groups are heads.
  static final Map<String, List<Integer>> SIZES =
      Map.of(
          "width", ModelShapes.sizes(List.of(Model::hidden)),
          "groups", ModelShapes.sizes(List.of(Model::heads)),
          "rows", LargeSizes.ROWS);

  private static final List<Integer> HEAD_DIMS = ModelShapes.sizes(List.of(Model::headDim));

  /// Of norms and of gates: norms that stand in feed-forward networks are as wide.
  static final List<Integer> WIDTHS =
      ModelShapes.sizes(List.of(Model::hidden, Model::intermediate));

  private RmsNormCases() {}

  static List<Subject<RmsNormCase>> subjects() {
    RmsNormCase first = RmsNormCase.smallest();
    RmsNormCase heads = CaseText.with(first, "groups=2");
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
            () -> arbitrary(Sizes.near(600), Arbitraries.just(1)),
            () -> modelSizes(first)),
        new Subject<>(
            GROUPS,
            Stream.of(
                    "width=1",
                    "width=37,groups=7,rows=24",
                    "width=64,groups=8,rows=33",
                    "width=128,groups=32,x=extreme",
                    "width=5,groups=3,rows=4,xPad=3,yPad=1,epsilon=0.0",
                    "width=17,rows=2,inPlace=true,xPad=2",
                    "width=31,groups=4,rows=9,schedule=4/threads",
                    "width=8,groups=5,rows=2,x=zero")
                .map(changes -> CaseText.with(heads, changes))
                .toList(),
            () -> arbitrary(Sizes.near(140), Arbitraries.integers().between(2, 9)),
            () -> modelSizesOfGroups(heads)));
  }

  private static Arbitrary<RmsNormCase> arbitrary(
      Arbitrary<Integer> widths, Arbitrary<Integer> groups) {
    return Combinators.combine(
            widths,
            Arbitraries.of(1e-5f, 0f, 1e-6f, 1f),
            Sizes.rows(),
            Combinators.combine(Sizes.pad(), Sizes.pad(), groups).as(List::of),
            Arbitraries.of(false, true),
            // Of magnitudes below 2^-50 rule N1 says nothing.
            Arbitraries.of(Values.class).filter(v -> v != Values.SUBNORMAL),
            Sizes.schedule(),
            Sizes.seed())
        .as((width, epsilon, rows, pads, inPlace, x, schedule, seed) ->
            new RmsNormCase(
                width,
                pads.get(2),
                epsilon,
                rows,
                pads.get(0),
                pads.get(1),
                inPlace,
                x,
                schedule,
                seed));
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
    return new ModelSizes<>(
        edges,
        mix -> {
          int[] sizes =
              LargeSizes.sizes(
                  mix,
                  s -> (long) s[0] * s[1] <= LargeSizes.NUMBERS,
                  List.of(WIDTHS, LargeSizes.ROWS));
          return drawn(first, sizes[0], sizes[1], mix);
        });
  }

  private static RmsNormCase drawn(RmsNormCase first, int width, int rows, Mix mix) {
    return CaseText.with(
        first,
        LargeSizes.format(
            "width=%d,rows=%d,epsilon=%s,xPad=%d,yPad=%d,inPlace=%b,x=%s,schedule=%s,seed=%d",
            width,
            rows,
            LargeSizes.any(mix, List.of("1.0E-5", "0.0", "1.0")),
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            mix.oneIn(2),
            LargeSizes.values(mix, Values.WINDOW, Values.WINDOW, Values.NORMAL, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  private static ModelSizes<RmsNormCase> modelSizesOfGroups(RmsNormCase first) {
    int rows = LargeSizes.ROWS.getLast();
    int heads = SIZES.get("groups").getLast();
    int headDim = HEAD_DIMS.getLast();
    List<RmsNormCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format("width=%d,groups=%d,rows=17", headDim + 3, heads + 1),
                LargeSizes.format("width=33,groups=3,rows=%d", rows + 3),
                LargeSizes.format(
                    "width=%d,rows=3,inPlace=true,xPad=3", 2 * SIZES.get("width").getLast() + 1)),
            ModelShapes.models().stream()
                .flatMap(m ->
                    Stream.of(m.heads(), m.kvHeads())
                        .filter(n -> n > 1)
                        .map(n -> LargeSizes.format("width=%d,groups=%d,rows=3", m.headDim(), n))),
            List.of(
                "width=1,groups=8192,rows=2",
                "width=128,groups=40,rows=130,epsilon=0.0,xPad=7,yPad=1",
                "width=128,groups=64,rows=65,x=one-hot",
                LargeSizes.format("width=128,groups=%d,rows=2051", heads))); // > 2^24 numbers
    return new ModelSizes<>(
        edges,
        mix -> {
          int[] sizes =
              LargeSizes.sizes(
                  mix,
                  s -> (long) s[0] * s[1] * s[2] <= LargeSizes.NUMBERS,
                  List.of(HEAD_DIMS, SIZES.get("groups"), LargeSizes.ROWS));
          return drawn(
              CaseText.with(first, "groups=" + Math.max(2, sizes[1])), sizes[0], sizes[2], mix);
        });
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    RmsNormSpec s = (RmsNormSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    for (int rows : new int[] {1, SpecCases.BATCH}) {
      made.add(
          new RmsNormCase(
              s.groupWidth(),
              s.groups(),
              s.epsilon(),
              rows,
              0,
              0,
              false,
              Values.NORMAL,
              SpecCases.WORKERS,
              wanted.seed()));
    }
    return s.groups() == 1
        ? made.made("width %d, epsilon %s", s.width(), s.epsilon())
        : made.made("width %d, %d groups, epsilon %s", s.width(), s.groups(), s.epsilon());
  }
}
