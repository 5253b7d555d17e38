package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.ModelShapes;
import dev.quern.conformance.cases.ModelShapes.Model;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.LargeSizes;
import dev.quern.conformance.rules.ModelSizes;
import dev.quern.conformance.rules.Sizes;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.Subject;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// What linear kernels are tried on: every standard format under every standard numerics.
final class LinearCases {
  /// Multiplications of a case, at most: what keeps a run short.
  private static final long MAX_PRODUCTS = 1L << 18;

  /// What judging keeps in memory of each weight besides its source: float and double.
  private static final int JUDGED_WEIGHT_BYTES = 12;

  /// How large each dimension gets in models, by size.
  static final Map<String, List<Integer>> SIZES =
      Map.of(
          "inputs",
              ModelShapes.sizes(
                  List.of(Model::hidden, Model::intermediate, m -> m.heads() * m.headDim())),
          "outputs",
              ModelShapes.sizes(
                  List.of(
                      Model::hidden,
                      Model::vocabulary,
                      m -> 2 * m.intermediate(),
                      m -> (m.heads() + 2 * m.kvHeads()) * m.headDim())),
          "stacked", List.of(3), // Q, K and V
          "rows", LargeSizes.ROWS);

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
                () -> modelSizes(first)));
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
    edges.add(CaseText.with(shape(first, 3, "5+2", some), "bias=true,xPad=1,yPad=2"));
    edges.add(
        CaseText.with(
            shape(first, 1, "37", block), "accumulate=true,bias=true,schedule=2/shuffled"));
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
    return Calls.variants(() -> target.kernels().linear(c.spec()));
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
                c.bias(),
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

  private static ModelSizes<LinearCase> modelSizes(LinearCase first) {
    int block = first.inputs();
    int few = Math.max(block, 5); // inputs where outputs are many
    int inputs = SIZES.get("inputs").getLast();
    int outputs = SIZES.get("outputs").getLast();
    int rows = LargeSizes.ROWS.getLast();
    boolean exact = first.numerics().equals(Numerics.EXACT_F32.id());
    BlockFormat format = first.blockFormat();
    boolean bytes = format.blockBytes() >= format.blockElements(); // at least one an element
    List<LinearCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format(
                    "rows=17,outputs=3+2,inputs=%d,x=window", LargeSizes.above(inputs, block)),
                LargeSizes.format("rows=1,outputs=%d,inputs=%d", outputs + 5, few),
                LargeSizes.format(
                    "rows=%d,outputs=3,inputs=%d,x=window",
                    rows + 3, LargeSizes.above(2048, block))),
            SIZES.get("inputs").stream()
                .filter(n -> n % block == 0)
                .map(n -> LargeSizes.format("rows=3,outputs=2,inputs=%d,x=window", n)),
            List.of(
                LargeSizes.format("rows=2,outputs=65543+5+9,inputs=%d,yPad=3", few),
                LargeSizes.format(
                    "rows=9,outputs=131,inputs=%d,x=window,accumulate=true,xPad=3,yPad=5",
                    LargeSizes.above(8192, block)),
                LargeSizes.format(
                    "rows=129,outputs=2,inputs=%d,x=window,xPad=5", LargeSizes.above(14336, block)),
                LargeSizes.format("rows=%d,outputs=2051,inputs=%d", block > 32 ? 17 : 129, few),
                // More than 2^24 weights, and bytes, once a format.
                LargeSizes.format(
                    "rows=1,outputs=%d,inputs=16384", !exact ? 513 : bytes ? 1027 : 2051),
                LargeSizes.format("rows=33,outputs=66,inputs=%d", LargeSizes.above(4096, block)),
                // All products of one sign, as large as they get: sums overflow here if anywhere.
                LargeSizes.format(
                    "rows=3,outputs=2,inputs=%d,x=constant,weights=extreme",
                    LargeSizes.above(2 * inputs, block))));
    List<LinearCase> more = Stream.concat(edges.stream(), manyNumbers(first)).toList();
    return new ModelSizes<>(more, mix -> drawn(first, mix));
  }

  /// Activations, and results, of more than 2^24 numbers, and a bias of 2^16: of every format they
  /// would take too long.
  private static Stream<LinearCase> manyNumbers(LinearCase first) {
    String activations = "rows=1027,outputs=1,inputs=16416,x=window,schedule=2/threads";
    int outputs = SIZES.get("outputs").getLast() + 5;
    String results = LargeSizes.format("rows=65,outputs=%d,inputs=1,schedule=2/threads", outputs);
    String biases = "rows=3,outputs=65543+5,inputs=1,yPad=3,bias=true,schedule=2/threads";
    return switch (first.format()) {
      case "F32" ->
          Stream.of(
              CaseText.with(first, activations),
              CaseText.with(first, results),
              CaseText.with(first, biases));
      case "Q8_0", "INT8_C" -> Stream.of(CaseText.with(first, activations));
      default -> Stream.of();
    };
  }

  private static LinearCase drawn(LinearCase first, Mix mix) {
    int block = first.inputs();
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s ->
                (long) s[0] * s[1] * s[2] * block <= LargeSizes.PRODUCTS
                    && (long) s[0] * s[2] * block <= LargeSizes.NUMBERS
                    && (long) s[0] * s[1] <= LargeSizes.NUMBERS,
            List.of(
                LargeSizes.ROWS,
                SIZES.get("outputs"),
                SIZES.get("inputs").stream().map(n -> Math.ceilDiv(n, block)).toList()));
    int outputs = sizes[1];
    int part = LargeSizes.draw(mix, 1, outputs);
    return CaseText.with(
        first,
        LargeSizes.format(
            "rows=%d,outputs=%s,inputs=%d,xPad=%d,yPad=%d,accumulate=%b,x=%s,weights=%s,schedule=%s,seed=%d",
            sizes[0],
            part == outputs || mix.oneIn(2) ? outputs : part + "+" + (outputs - part),
            sizes[2] * block,
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            mix.oneIn(2),
            LargeSizes.values(
                mix,
                Values.WINDOW,
                Values.WINDOW,
                Values.WINDOW,
                Values.NORMAL,
                Values.ONE_HOT,
                Values.CONSTANT,
                Values.OUTLIER),
            LargeSizes.any(mix, List.of("normal", "normal", "wide", "extreme")),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    LinearSpec s = (LinearSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    BlockFormat format = s.weights();
    List<Integer> stacked = wanted.stacked().isEmpty() ? List.of(s.outputs()) : wanted.stacked();
    long weights = (long) s.outputs() * s.inputs();
    long bytes =
        weights * JUDGED_WEIGHT_BYTES
            + SpecCases.COPIES * weights / format.blockElements() * format.blockBytes();
    if (bytes > wanted.budget().bytes() || weights > wanted.budget().products()) {
      made.tooLarge("all of it: %,d weights take %,d MB to judge", weights, bytes >> 20);
    } else {
      int most = (int) Math.min(SpecCases.BATCH, wanted.budget().products() / weights);
      for (int rows : most > 1 ? new int[] {1, most} : new int[] {1}) {
        made.add(
            new LinearCase(
                format.id(),
                s.tolerated().size() == 1 ? s.tolerated().iterator().next().id() : LinearCase.ANY,
                rows,
                stacked,
                s.inputs(),
                0,
                0,
                s.accumulate(),
                s.bias(),
                Values.NORMAL,
                WeightValues.NORMAL,
                rows == 1 ? Schedule.ONE : SpecCases.WORKERS,
                wanted.seed()));
      }
      if (most < SpecCases.BATCH) {
        made.tooLarge("rows above %d, to a batch of %d", most, SpecCases.BATCH);
      }
    }
    return made.made(
        "%s %s x %d%s%s%s",
        format,
        stacked.stream().map(n -> Integer.toString(n)).collect(Collectors.joining("+")),
        s.inputs(),
        s.accumulate() ? ", added to y" : "",
        s.bias() ? ", with a bias" : "",
        s.tolerated().equals(Set.of(Numerics.EXACT_F32)) ? ", exact" : "");
  }

  /// What is called until it is compiled.
  static List<CompiledCases<LinearCase>> compiled() {
    List<CompiledCases<LinearCase>> compiled = new ArrayList<>();
    for (BlockFormat format : BlockFormat.standard()) {
      int block = format.blockElements();
      String tail = Integer.toString(block == 1 ? 67 : 3 * block);
      compiled.add(
          new CompiledCases<>(
              // `any` is what models ask for; the others find the variants behind it.
              Stream.concat(
                      Stream.of(LinearCase.ANY), Numerics.standard().stream().map(Numerics::id))
                  .map(n -> LinearCase.of(format, n))
                  .toList(),
              List.of(
                  "outputs=8,inputs=256", "outputs=5+8,inputs=" + tail, "outputs=66,inputs=2048")));
    }
    return compiled;
  }
}
