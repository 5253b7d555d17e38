package dev.quern.conformance.rules;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WeightValues;
import dev.quern.conformance.judge.Candidate;
import dev.quern.data.BlockFormat;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// What linear kernels are tried on: every standard format under every standard numerics.
final class LinearCases {
  /// Multiplications of a case, at most: what keeps a run short.
  private static final long MAX_PRODUCTS = 1L << 18;

  private LinearCases() {}

  static List<Subject<LinearCase>> subjects(Candidate target) {
    List<Subject<LinearCase>> subjects = new ArrayList<>();
    for (BlockFormat format : BlockFormat.standard()) {
      for (Numerics numerics : Numerics.standard()) {
        LinearCase first = LinearCase.of(format, numerics.id());
        subjects.add(
            new Subject<>(
                format + " " + numerics,
                edges(first, format.blockElements(), target),
                () -> arbitrary(first, format.blockElements()),
                () -> ModelCases.linear(first)));
      }
    }
    return subjects;
  }

  /// The smallest, then both sides of each variant's first row, and the sizes that tails hide in.
  private static List<LinearCase> edges(LinearCase first, int block, Candidate target) {
    List<LinearCase> edges = new ArrayList<>();
    edges.add(first);
    int some = block == 1 ? 67 : block * (256 / block + 1); // a row of several blocks
    edges.add(shape(first, 24, "5", block == 1 ? 4 * some : some));
    edges.add(CaseText.with(shape(first, 3, "5+2", block), "schedule=2/shuffled"));
    Stream.of(first, CaseText.with(first, "numerics=" + LinearCase.ANY))
        .flatMap(c -> variants(c, target).stream())
        .flatMapToInt(v -> IntStream.rangeClosed(v.minRows() - 1, v.minRows() + 1))
        .filter(rows -> rows > 0)
        .distinct()
        .forEach(rows -> edges.add(shape(first, rows, "5", block)));
    edges.add(shape(first, 1, "37", some));
    edges.add(shape(first, 33, "16", block));
    edges.add(shape(first, 4, "1+8+3", some));
    edges.add(CaseText.with(shape(first, 3, "9", some), "accumulate=true,xPad=5,yPad=3"));
    edges.add(CaseText.with(shape(first, 2, "4", some), "x=extreme,weights=extreme"));
    edges.add(CaseText.with(shape(first, 5, "7", some), "schedule=4/threads"));
    edges.add(shape(first, 2, "515", block)); // more outputs than any tile
    edges.add(shape(first, 1, "2", block == 1 ? 1031 : block * (1024 / block)));
    // All products of one sign and as large as they get: sums overflow here if anywhere.
    edges.add(CaseText.with(shape(first, 1, "3", 4096), "x=constant,weights=extreme"));
    return edges;
  }

  private static LinearCase shape(LinearCase c, int rows, String outputs, int inputs) {
    return CaseText.with(
        c, String.format(Locale.ROOT, "rows=%d,outputs=%s,inputs=%d", rows, outputs, inputs));
  }

  private static List<Variant> variants(LinearCase c, Candidate target) {
    return Calls.variants(() -> target.provider().linear(c.spec()));
  }

  private static Arbitrary<LinearCase> arbitrary(LinearCase first, int block) {
    Arbitrary<Integer> blocks =
        block == 1 ? Sizes.near(520) : Arbitraries.integers().between(1, Math.max(3, 520 / block));
    Arbitrary<LinearCase> shapes =
        Combinators.combine(
                Sizes.rows(),
                Sizes.near(80).list().ofMinSize(1).ofMaxSize(3),
                blocks,
                Sizes.pad(),
                Sizes.pad())
            .as((rows, outputs, inputs, xPad, yPad) ->
                new LinearCase(
                    first.format(),
                    first.numerics(),
                    rows,
                    outputs,
                    inputs * block,
                    xPad,
                    yPad,
                    false,
                    first.x(),
                    first.weights(),
                    first.schedule(),
                    first.seed()));
    return Combinators.combine(
            shapes,
            Arbitraries.of(false, true),
            Arbitraries.of(Values.class),
            Arbitraries.of(WeightValues.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((c, accumulate, x, weights, schedule, seed) ->
            new LinearCase(
                c.format(),
                c.numerics(),
                fewer(c),
                c.outputs(),
                c.inputs(),
                c.xPad(),
                c.yPad(),
                accumulate,
                x,
                weights,
                schedule,
                seed));
  }

  /// The rows of a case, or as many as [#MAX_PRODUCTS] has room for.
  private static int fewer(LinearCase c) {
    long products = (long) c.totalOutputs() * c.inputs();
    return Math.clamp(MAX_PRODUCTS / products, 1, c.rows());
  }
}
