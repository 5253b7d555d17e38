package dev.quern.conformance.rules;

import static dev.quern.conformance.rules.LargeSizes.above;
import static dev.quern.conformance.rules.LargeSizes.draw;
import static dev.quern.conformance.rules.LargeSizes.pad;

import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.ModelShapes;
import dev.quern.conformance.cases.RmsNormCase;
import dev.quern.conformance.cases.RopeCase;
import dev.quern.conformance.cases.SwiGluCase;
import dev.quern.conformance.cases.Values;
import dev.quern.data.BlockFormat;
import dev.quern.op.Numerics;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Cases at the size of models, by operator. In each a dimension or two is large, and the others so
/// small that a call takes some ten milliseconds; no case is as large as a model's largest matrix.
/// The first three of each list reach beyond every dimension of [ModelShapes].
final class ModelCases {
  /// Of a drawn case, at most: products, and numbers of an operand.
  private static final long PRODUCTS = 1L << 23;

  private static final long NUMBERS = 1L << 21;

  private static final List<Integer> ROWS = ModelShapes.sizes("linear", "rows");

  /// Of norms and of gates: norms that stand in feed-forward networks are as wide.
  private static final List<Integer> WIDTHS =
      Stream.of(ModelShapes.sizes("rmsnorm", "width"), ModelShapes.sizes("swiglu", "width"))
          .flatMap(List::stream)
          .distinct()
          .sorted()
          .toList();

  private ModelCases() {}

  /// Edge cases: those that reach beyond all models, those that models have, then others. Each has
  /// a seed of its own, another for each subject, which also draws the other workers, the rows that
  /// are tried alone, and where a NaN or an infinity stands.
  private static <C extends Record> List<C> edges(
      C first, List<String> beyond, Stream<String> ofModels, List<String> others) {
    List<String> changes =
        Stream.of(beyond.stream(), ofModels.distinct(), others.stream()).flatMap(s -> s).toList();
    int base = 1000 * new Mix(1, CaseText.write(first)).below(1000);
    return IntStream.range(0, changes.size())
        .mapToObj(i -> changes.get(i) + ",schedule=2/threads,seed=" + (base + i + 1))
        .map(change -> CaseText.with(first, change))
        .toList();
  }

  static ModelSizes<LinearCase> linear(LinearCase first) {
    int block = first.inputs();
    int few = Math.max(block, 5); // inputs where outputs are many
    int inputs = ModelShapes.largest("linear", "inputs");
    int outputs = ModelShapes.largest("linear", "outputs");
    int rows = ROWS.getLast();
    boolean exact = first.numerics().equals(Numerics.EXACT_F32.id());
    BlockFormat format = first.blockFormat();
    boolean bytes = format.blockBytes() >= format.blockElements(); // at least one an element
    List<LinearCase> edges =
        edges(
            first,
            List.of(
                format("rows=17,outputs=3+2,inputs=%d,x=window", above(inputs, block)),
                format("rows=1,outputs=%d,inputs=%d", outputs + 5, few),
                format("rows=%d,outputs=3,inputs=%d,x=window", rows + 3, above(2048, block))),
            ModelShapes.sizes("linear", "inputs").stream()
                .filter(n -> n % block == 0)
                .map(n -> format("rows=3,outputs=2,inputs=%d,x=window", n)),
            List.of(
                format("rows=2,outputs=65543+5+9,inputs=%d,yPad=3", few),
                format(
                    "rows=9,outputs=131,inputs=%d,x=window,accumulate=true,xPad=3,yPad=5",
                    above(8192, block)),
                format("rows=129,outputs=2,inputs=%d,x=window,xPad=5", above(14336, block)),
                format("rows=%d,outputs=2051,inputs=%d", block > 32 ? 17 : 129, few),
                // More than 2^24 weights, and bytes, once a format.
                format("rows=1,outputs=%d,inputs=16384", !exact ? 513 : bytes ? 1027 : 2051),
                format("rows=33,outputs=66,inputs=%d", above(4096, block)),
                // All products of one sign, as large as they get: sums overflow here if anywhere.
                format(
                    "rows=3,outputs=2,inputs=%d,x=constant,weights=extreme",
                    above(2 * inputs, block))));
    List<LinearCase> more = Stream.concat(edges.stream(), manyNumbers(first)).toList();
    return new ModelSizes<>(more, mix -> linear(first, mix));
  }

  /// Activations, and results, of more than 2^24 numbers: of every format they would take too long.
  private static Stream<LinearCase> manyNumbers(LinearCase first) {
    String activations = "rows=1027,outputs=1,inputs=16416,x=window,schedule=2/threads";
    int outputs = ModelShapes.largest("linear", "outputs") + 5;
    String results = format("rows=65,outputs=%d,inputs=1,schedule=2/threads", outputs);
    return switch (first.format()) {
      case "F32" -> Stream.of(CaseText.with(first, activations), CaseText.with(first, results));
      case "Q8_0", "INT8_C" -> Stream.of(CaseText.with(first, activations));
      default -> Stream.of();
    };
  }

  private static LinearCase linear(LinearCase first, Mix mix) {
    int block = first.inputs();
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s ->
                (long) s[0] * s[1] * s[2] * block <= PRODUCTS
                    && (long) s[0] * s[2] * block <= NUMBERS
                    && (long) s[0] * s[1] <= NUMBERS,
            List.of(
                ROWS,
                ModelShapes.sizes("linear", "outputs"),
                ModelShapes.sizes("linear", "inputs").stream()
                    .map(n -> Math.ceilDiv(n, block))
                    .toList()));
    int outputs = sizes[1];
    int part = draw(mix, 1, outputs);
    return CaseText.with(
        first,
        format(
            "rows=%d,outputs=%s,inputs=%d,xPad=%d,yPad=%d,accumulate=%b,x=%s,weights=%s,schedule=%s,seed=%d",
            sizes[0],
            part == outputs || mix.oneIn(2) ? outputs : part + "+" + (outputs - part),
            sizes[2] * block,
            pad(mix),
            pad(mix),
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

  static ModelSizes<AttentionCase> attention(AttentionCase first) {
    int positions = ModelShapes.largest("attention", "positions");
    int heads = ModelShapes.largest("attention", "heads");
    int headDim = ModelShapes.largest("attention", "headDim");
    int rows = ROWS.getLast();
    List<AttentionCase> edges =
        edges(
            first,
            List.of(
                format("kvHeads=2,group=1,headDim=4,rows=9,firstPosition=%d,spare=1000", positions),
                format("kvHeads=1,group=9,headDim=3,rows=%d,firstPosition=17", rows + 3),
                format(
                    "kvHeads=%d,group=1,headDim=%d,rows=1,firstPosition=130",
                    heads + 1, headDim + 1)),
            ModelShapes.models().stream()
                .map(m ->
                    format(
                        "kvHeads=%d,group=%d,headDim=%d,rows=2,firstPosition=70",
                        m.kvHeads(), m.heads() / m.kvHeads(), m.headDim())),
            List.of(
                "kvHeads=1,group=71,headDim=16,rows=5,firstPosition=300",
                "kvHeads=2,group=3,headDim=521,rows=4,firstPosition=1300",
                "kvHeads=8,group=8,headDim=128,rows=1,firstPosition=2047,spare=513",
                format(
                    "append=true,kvHeads=2,headDim=16,rows=%d,firstPosition=30000,spare=9",
                    rows + 3),
                format(
                    "append=true,kvHeads=3,headDim=8,rows=5,firstPosition=%d,spare=2,qPad=3",
                    positions),
                format("kvHeads=2,group=2,headDim=4,rows=3,firstPosition=40,spare=%d", positions),
                // A cache of more than 2^24 numbers.
                format("kvHeads=9,group=1,headDim=16,rows=1,firstPosition=40,spare=%d", positions),
                "kvHeads=1,group=2,headDim=4,rows=515,firstPosition=6000,qPad=3,yPad=5",
                "kvHeads=16,group=8,headDim=2,rows=2,firstPosition=4100",
                format(
                    "kvHeads=8,group=%d,headDim=2,rows=515", heads / 4), // times heads: over 2^16
                format("kvHeads=1,group=4,headDim=8,rows=1,firstPosition=%d", 2 * positions)));
    return new ModelSizes<>(edges, mix -> attention(first, mix));
  }

  private static AttentionCase attention(AttentionCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s -> {
              long heads = (long) s[0] * s[1];
              long positions = s[3] + s[4];
              return s[3] * heads * positions * (s[2] + 8) <= 2 * PRODUCTS
                  && s[0] * (positions + s[5]) * s[2] <= NUMBERS
                  && s[3] * heads * s[2] <= NUMBERS / 2;
            },
            List.of(
                ModelShapes.sizes("attention", "kvHeads"),
                ModelShapes.sizes("attention", "heads"), // of one KV head
                ModelShapes.sizes("attention", "headDim"),
                ROWS,
                ModelShapes.sizes("attention", "positions"),
                ModelShapes.sizes("attention", "capacity")));
    return CaseText.with(
        first,
        format(
            "append=%b,kvHeads=%d,group=%d,headDim=%d,rows=%d,firstPosition=%d,spare=%d,beyond=%d,qPad=%d,yPad=%d,scaleExponent=%d,values=%s,schedule=%s,seed=%d",
            mix.oneIn(4),
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3],
            sizes[4] - 1,
            sizes[5] - 1,
            mix.below(3),
            pad(mix),
            pad(mix),
            mix.below(5) - 2,
            LargeSizes.values(mix, Values.NORMAL, Values.POSITIVE, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  static ModelSizes<RmsNormCase> rmsNorm(RmsNormCase first) {
    int rows = ROWS.getLast();
    int largest = WIDTHS.getLast();
    List<RmsNormCase> edges =
        edges(
            first,
            List.of(
                format("width=%d,rows=17,x=window", largest + 3),
                format("width=1031,rows=%d", rows + 3),
                format("width=%d,rows=3,x=window,inPlace=true,xPad=3", 2 * largest + 1)),
            WIDTHS.stream().map(w -> format("width=%d,rows=3,x=window", w)),
            List.of(
                "width=131072,rows=2,x=window",
                "width=5120,rows=130,epsilon=0.0,x=window,xPad=7,yPad=1",
                "width=8192,rows=65,x=one-hot",
                "width=16384,rows=40,x=outlier",
                format("width=%d,rows=457", largest + 3))); // more than 2^24 numbers
    return new ModelSizes<>(edges, mix -> rmsNorm(first, mix));
  }

  private static RmsNormCase rmsNorm(RmsNormCase first, Mix mix) {
    int[] sizes = LargeSizes.sizes(mix, s -> (long) s[0] * s[1] <= NUMBERS, List.of(WIDTHS, ROWS));
    return CaseText.with(
        first,
        format(
            "width=%d,rows=%d,epsilon=%s,xPad=%d,yPad=%d,inPlace=%b,x=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            LargeSizes.any(mix, List.of("1.0E-5", "0.0", "1.0")),
            pad(mix),
            pad(mix),
            mix.oneIn(2),
            LargeSizes.values(mix, Values.WINDOW, Values.WINDOW, Values.NORMAL, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  static ModelSizes<RopeCase> rope(RopeCase first) {
    int rows = ROWS.getLast();
    int positions = ModelShapes.largest("rope", "positions");
    int heads = ModelShapes.largest("rope", "heads");
    int headDim = ModelShapes.largest("rope", "headDim");
    List<RopeCase> edges =
        edges(
            first,
            List.of(
                format("heads=%d,halfDim=4,rows=5,firstPosition=%d", heads + 1, positions + 3),
                format("heads=3,halfDim=33,rows=%d,firstPosition=200", rows + 3),
                format("heads=2,halfDim=%d,rows=33,firstPosition=1500,xPad=3", headDim + 1)),
            ModelShapes.models().stream()
                .flatMap(m -> Stream.of(m.heads(), m.kvHeads()).map(n -> rope(n, m.headDim()))),
            List.of(
                rope(2, 2 * headDim),
                format("heads=2,halfDim=2,rows=515,firstPosition=%d,tablePad=1", 2 * positions),
                format("heads=8,halfDim=5,rows=2,firstPosition=7,spare=%d", positions),
                format("heads=%d,halfDim=64,rows=129,firstPosition=8190", heads),
                format("heads=%d,halfDim=64,rows=2051", heads), // more than 2^24 numbers
                format("heads=1,halfDim=64,rows=1,firstPosition=%d", positions))); // so has a table
    return new ModelSizes<>(edges, mix -> rope(first, mix));
  }

  private static String rope(int heads, int headDim) {
    return format("heads=%d,halfDim=%d,rows=3,firstPosition=500", heads, headDim / 2);
  }

  private static RopeCase rope(RopeCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s ->
                2L * s[0] * s[1] * s[2] <= NUMBERS / 2
                    && 2L * ((long) s[2] + s[3] + s[4]) * s[1] <= NUMBERS,
            List.of(
                ModelShapes.sizes("rope", "heads"),
                ModelShapes.sizes("rope", "headDim"), // pairs
                ROWS,
                ModelShapes.sizes("rope", "positions"),
                ModelShapes.sizes("rope", "positions")));
    return CaseText.with(
        first,
        format(
            "heads=%d,halfDim=%d,rows=%d,firstPosition=%d,spare=%d,xPad=%d,tablePad=%d,x=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3] - 1,
            sizes[4] - 1,
            pad(mix),
            pad(mix),
            LargeSizes.values(mix, Values.NORMAL, Values.WIDE),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  static ModelSizes<SwiGluCase> swiGlu(SwiGluCase first) {
    int rows = ROWS.getLast();
    int largest = WIDTHS.getLast();
    List<SwiGluCase> edges =
        edges(
            first,
            List.of(
                format("width=%d,rows=9,gatePad=3,upPad=1,yPad=2", largest + 3),
                format("width=515,rows=%d", rows + 3),
                format("width=%d,rows=3,alias=gate", 2 * largest + 1)),
            WIDTHS.stream().map(w -> format("width=%d,rows=2", w)),
            List.of(
                "width=131073,rows=2,alias=up",
                "width=14336,rows=33,gate=wide",
                "width=8192,rows=65",
                format("width=%d,rows=457", largest + 3))); // more than 2^24 numbers
    return new ModelSizes<>(edges, mix -> swiGlu(first, mix));
  }

  private static SwiGluCase swiGlu(SwiGluCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(mix, s -> (long) s[0] * s[1] <= NUMBERS / 2, List.of(WIDTHS, ROWS));
    return CaseText.with(
        first,
        format(
            "width=%d,rows=%d,gatePad=%d,upPad=%d,yPad=%d,alias=%s,gate=%s,up=%s,schedule=%s,seed=%d",
            sizes[0],
            sizes[1],
            pad(mix),
            pad(mix),
            pad(mix),
            LargeSizes.any(mix, List.of("none", "none", "gate", "up")),
            LargeSizes.values(mix, Values.NORMAL, Values.WIDE),
            LargeSizes.values(mix, Values.NORMAL, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  private static String format(String text, Object... sizes) {
    return String.format(Locale.ROOT, text, sizes);
  }
}
