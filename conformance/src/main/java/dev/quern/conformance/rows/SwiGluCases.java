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
import dev.quern.op.Activation;
import dev.quern.op.SwiGluSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// What SwiGLU kernels are tried on: each activation.
final class SwiGluCases {
  /// How large each dimension gets in models, by size.
  static final Map<String, List<Integer>> SIZES =
      Map.of("width", ModelShapes.sizes(List.of(Model::intermediate)), "rows", LargeSizes.ROWS);

  private SwiGluCases() {}

  static List<Subject<SwiGluCase>> subjects() {
    return Arrays.stream(Activation.values())
        .map(activation ->
            new Subject<>(
                activation == Activation.SILU ? "F32" : label(activation),
                edges(SwiGluCase.of(activation)),
                () -> arbitrary(activation),
                () -> modelSizes(SwiGluCase.of(activation))))
        .toList();
  }

  /// As cases and declarations write it: `gelu-tanh`.
  static String label(Activation activation) {
    return activation.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<SwiGluCase> edges(SwiGluCase first) {
    return Stream.of(
            "width=1",
            "width=259,rows=24",
            "width=172,rows=33",
            "width=5,rows=4,gatePad=3,upPad=1,yPad=2",
            "width=17,rows=2,alias=gate,gatePad=2",
            "width=17,rows=2,alias=up,upPad=2",
            "width=64,gate=wide",
            "width=4099,rows=2",
            "width=31,rows=9,schedule=4/threads")
        .map(changes -> CaseText.with(first, changes))
        .toList();
  }

  private static Arbitrary<SwiGluCase> arbitrary(Activation activation) {
    return Combinators.combine(
            Sizes.near(600),
            Sizes.rows(),
            Combinators.combine(Sizes.pad(), Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(SwiGluCase.Alias.class),
            Arbitraries.of(Values.class),
            Arbitraries.of(Values.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((width, rows, pads, alias, gate, up, schedule, seed) ->
            new SwiGluCase(
                width,
                activation,
                rows,
                pads.get(0),
                pads.get(1),
                pads.get(2),
                alias,
                gate,
                up,
                schedule,
                seed));
  }

  private static ModelSizes<SwiGluCase> modelSizes(SwiGluCase first) {
    int rows = LargeSizes.ROWS.getLast();
    int largest = RmsNormCases.WIDTHS.getLast();
    List<SwiGluCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format("width=%d,rows=9,gatePad=3,upPad=1,yPad=2", largest + 3),
                LargeSizes.format("width=515,rows=%d", rows + 3),
                LargeSizes.format("width=%d,rows=3,alias=gate", 2 * largest + 1)),
            RmsNormCases.WIDTHS.stream().map(w -> LargeSizes.format("width=%d,rows=2", w)),
            List.of(
                "width=131073,rows=2,alias=up",
                "width=14336,rows=33,gate=wide",
                "width=8192,rows=65",
                LargeSizes.format("width=%d,rows=457", largest + 3))); // more than 2^24 numbers
    return new ModelSizes<>(edges, mix -> drawn(first, mix));
  }

  private static SwiGluCase drawn(SwiGluCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s -> (long) s[0] * s[1] <= LargeSizes.NUMBERS / 2,
            List.of(RmsNormCases.WIDTHS, LargeSizes.ROWS));
    return CaseText.with(
        first,
        LargeSizes.format(
            "width=%d,rows=%d,gatePad=%d,upPad=%d,yPad=%d,alias=%s,gate=%s,up=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            LargeSizes.any(mix, List.of("none", "none", "gate", "up")),
            LargeSizes.values(mix, Values.NORMAL, Values.WIDE),
            LargeSizes.values(mix, Values.NORMAL, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    SwiGluSpec s = (SwiGluSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    for (int rows : new int[] {1, SpecCases.BATCH}) {
      made.add(
          new SwiGluCase(
              s.width(),
              s.activation(),
              rows,
              0,
              0,
              0,
              SwiGluCase.Alias.GATE,
              Values.NORMAL,
              Values.NORMAL,
              SpecCases.WORKERS,
              wanted.seed()));
    }
    return s.activation() == Activation.SILU
        ? made.made("width %d", s.width())
        : made.made("width %d, %s", s.width(), label(s.activation()));
  }
}
