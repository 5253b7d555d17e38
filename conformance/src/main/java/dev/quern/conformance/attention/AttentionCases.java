package dev.quern.conformance.attention;

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
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/// What attention kernels are tried on: both cache formats, and in [ScoreCases] windows and caps.
final class AttentionCases {
  /// Products of queries and keys of a case, at most: what keeps a run short.
  private static final long MAX_PRODUCTS = 1L << 17;

  /// How large each dimension gets in models, by size.
  static final Map<String, List<Integer>> SIZES =
      Map.of(
          "heads", ModelShapes.sizes(List.of(Model::heads)),
          "kvHeads", ModelShapes.sizes(List.of(Model::kvHeads)),
          "group", ModelShapes.sizes(List.of(m -> m.heads() / m.kvHeads())),
          "headDim", ModelShapes.sizes(List.of(Model::headDim)),
          "positions", ModelShapes.sizes(List.of(Model::context)),
          "capacity", ModelShapes.sizes(List.of(Model::context)),
          "rows", LargeSizes.ROWS);

  private AttentionCases() {}

  static List<Subject<AttentionCase>> subjects(Candidate target) {
    List<Subject<AttentionCase>> subjects = new ArrayList<>();
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      AttentionCase first = AttentionCase.of(kv);
      subjects.add(
          new Subject<>(
              kv.id(), edges(first, target), () -> arbitrary(kv), () -> modelSizes(first)));
    }
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      ScoreCases.subjects(kv).forEach(subjects::add);
    }
    return subjects;
  }

  private static List<AttentionCase> edges(AttentionCase first, Candidate target) {
    List<AttentionCase> edges = new ArrayList<>();
    edges.add(first);
    edges.add(shape(first, 1, 2, 6, 24, 120));
    edges.add(CaseText.with(shape(first, 4, 1, 64, 24, 3), "append=true,values=wide"));
    edges.add(shape(first, 2, 3, 64, 3, 17));
    List<Variant> variants = Calls.variants(() -> target.kernels().attention(first.spec()));
    for (Variant v : variants) {
      for (int rows = Math.max(1, v.minRows() - 1); rows <= v.minRows() + 1; rows++) {
        edges.add(shape(first, 1, 2, 16, rows, 5));
      }
    }
    edges.add(shape(first, 1, 1, 80, 1, 300)); // decode far on
    edges.add(shape(first, 1, 2, 4, 3, 1100)); // more positions than any tile
    edges.add(shape(first, 2, 4, 32, 17, 0)); // prefill
    edges.add(shape(first, 3, 1, 1, 5, 2));
    edges.add(shape(first, 1, 8, 33, 4, 31));
    edges.add(CaseText.with(shape(first, 2, 2, 8, 3, 0), "spare=9,qPad=5,yPad=3"));
    edges.add(CaseText.with(shape(first, 1, 2, 8, 3, 2), "scaleExponent=1"));
    edges.add(CaseText.with(shape(first, 2, 2, 16, 5, 3), "append=true"));
    edges.add(CaseText.with(shape(first, 2, 1, 6, 1, 0), "append=true,spare=4,qPad=1"));
    edges.add(CaseText.with(shape(first, 2, 2, 16, 9, 40), "schedule=4/threads"));
    return edges;
  }

  private static AttentionCase shape(
      AttentionCase c, int kvHeads, int group, int headDim, int rows, int firstPosition) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "kvHeads=%d,group=%d,headDim=%d,rows=%d,firstPosition=%d",
            kvHeads,
            group,
            headDim,
            rows,
            firstPosition));
  }

  static Arbitrary<AttentionCase> arbitrary(KvFormat kv) {
    Arbitrary<AttentionCase> shapes =
        Combinators.combine(
                Arbitraries.integers().between(1, 4),
                Arbitraries.of(1, 2, 3, 4, 8),
                Sizes.near(130),
                Sizes.rows(),
                Arbitraries.frequencyOf(
                    Tuple.of(2, Arbitraries.just(0)), Tuple.of(5, Sizes.near(300))),
                Sizes.pad(),
                Sizes.pad(),
                Sizes.pad())
            .as((kvHeads, group, headDim, rows, first, spare, qPad, yPad) ->
                CaseText.with(
                    AttentionCase.of(kv),
                    String.format(
                        Locale.ROOT,
                        "kvHeads=%d,group=%d,headDim=%d,rows=%d,firstPosition=%d,spare=%d,qPad=%d,yPad=%d",
                        kvHeads,
                        group,
                        headDim,
                        rows,
                        first,
                        spare,
                        qPad,
                        yPad)));
    return Combinators.combine(
            shapes,
            Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.just(false)), Tuple.of(1, Arbitraries.just(true))),
            Arbitraries.integers().between(-3, 5),
            Arbitraries.integers().between(-2, 2),
            Arbitraries.of(Values.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((c, append, qExponent, scaleExponent, values, schedule, seed) ->
            new AttentionCase(
                c.kv(),
                append,
                c.kvHeads(),
                c.group(),
                c.headDim(),
                fewer(c),
                c.firstPosition(),
                c.spare(),
                c.spare() % 3,
                c.qPad(),
                c.yPad(),
                qExponent,
                scaleExponent,
                0,
                0,
                values,
                schedule,
                seed));
  }

  private static int fewer(AttentionCase c) {
    long products = (long) c.heads() * c.headDim() * c.positions();
    return Math.clamp(MAX_PRODUCTS / products, 1, c.rows());
  }

  private static ModelSizes<AttentionCase> modelSizes(AttentionCase first) {
    int positions = SIZES.get("positions").getLast();
    int heads = SIZES.get("heads").getLast();
    int headDim = SIZES.get("headDim").getLast();
    int rows = LargeSizes.ROWS.getLast();
    List<AttentionCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format(
                    "kvHeads=2,group=1,headDim=4,rows=9,firstPosition=%d,spare=1000", positions),
                LargeSizes.format("kvHeads=1,group=9,headDim=3,rows=%d,firstPosition=17", rows + 3),
                LargeSizes.format(
                    "kvHeads=%d,group=1,headDim=%d,rows=1,firstPosition=130",
                    heads + 1, headDim + 1)),
            ModelShapes.models().stream()
                .map(m ->
                    LargeSizes.format(
                        "kvHeads=%d,group=%d,headDim=%d,rows=2,firstPosition=70",
                        m.kvHeads(), m.heads() / m.kvHeads(), m.headDim())),
            List.of(
                "kvHeads=1,group=71,headDim=16,rows=5,firstPosition=300",
                "kvHeads=2,group=3,headDim=521,rows=4,firstPosition=1300",
                "kvHeads=8,group=8,headDim=128,rows=1,firstPosition=2047,spare=513",
                LargeSizes.format(
                    "append=true,kvHeads=2,headDim=16,rows=%d,firstPosition=30000,spare=9",
                    rows + 3),
                LargeSizes.format(
                    "append=true,kvHeads=3,headDim=8,rows=5,firstPosition=%d,spare=2,qPad=3",
                    positions),
                LargeSizes.format(
                    "kvHeads=2,group=2,headDim=4,rows=3,firstPosition=40,spare=%d", positions),
                // A cache of more than 2^24 numbers.
                LargeSizes.format(
                    "kvHeads=9,group=1,headDim=16,rows=1,firstPosition=40,spare=%d", positions),
                "kvHeads=1,group=2,headDim=4,rows=515,firstPosition=6000,qPad=3,yPad=5",
                "kvHeads=16,group=8,headDim=2,rows=2,firstPosition=4100",
                LargeSizes.format(
                    "kvHeads=8,group=%d,headDim=2,rows=515", heads / 4), // times heads: over 2^16
                LargeSizes.format(
                    "kvHeads=1,group=4,headDim=8,rows=1,firstPosition=%d", 2 * positions)));
    return new ModelSizes<>(edges, mix -> drawn(first, mix));
  }

  static AttentionCase drawn(AttentionCase first, Mix mix) {
    int[] sizes =
        LargeSizes.sizes(
            mix,
            s -> {
              long heads = (long) s[0] * s[1];
              long positions = s[3] + s[4];
              return s[3] * heads * positions * (s[2] + 8) <= 2 * LargeSizes.PRODUCTS
                  && s[0] * (positions + s[5]) * s[2] <= LargeSizes.NUMBERS
                  && s[3] * heads * s[2] <= LargeSizes.NUMBERS / 2;
            },
            List.of(
                SIZES.get("kvHeads"),
                SIZES.get("heads"), // of one KV head
                SIZES.get("headDim"),
                LargeSizes.ROWS,
                SIZES.get("positions"),
                SIZES.get("capacity")));
    return CaseText.with(
        first,
        LargeSizes.format(
            "append=%b,kvHeads=%d,group=%d,headDim=%d,rows=%d,firstPosition=%d,spare=%d,beyond=%d,qPad=%d,yPad=%d,scaleExponent=%d,values=%s,schedule=%s,seed=%d",
            mix.oneIn(4),
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3],
            sizes[4] - 1,
            sizes[5] - 1,
            mix.below(3),
            LargeSizes.pad(mix),
            LargeSizes.pad(mix),
            mix.below(5) - 2,
            LargeSizes.values(mix, Values.NORMAL, Values.POSITIVE, Values.OUTLIER),
            LargeSizes.schedule(mix),
            LargeSizes.seed(mix)));
  }

  /// The cases of a model's kernel at its exact size.
  static SpecCases ofModel(String operator, SpecCases.Wanted wanted) {
    AttentionSpec s = (AttentionSpec) wanted.spec();
    SpecCases.Maker made = new SpecCases.Maker(operator);
    long products = wanted.budget().products();
    int width = s.heads() * s.headDim();
    long position = (long) s.kvHeads() * s.headDim(); // elements of keys, as many of values
    long bytes = 2 * position * (Float.BYTES + SpecCases.COPIES * s.kv().elementBytes());
    int all = s.maxPositions();
    int far = (int) Math.min(all, Math.min(products / width, wanted.budget().bytes() / bytes));
    if (far < 1) {
      made.tooLarge("all of it: %,d bytes a position", bytes);
    } else {
      int batch = Math.min(SpecCases.BATCH, far);
      int first = Math.clamp(products / width / batch, 1, batch);
      int last = Math.clamp(products / width / far, 1, batch);
      made.add(call(s, 1, far - 1, wanted), "1 row at position %,d", far - 1);
      made.add(call(s, first, 0, wanted), "%d rows at position 0", first);
      if (last > 1) {
        made.add(call(s, last, far - last, wanted), "%d rows at position %,d", last, far - last);
      }
      made.add(
          CaseText.with(call(s, batch, far - batch, wanted), "append=true"),
          "append of %d rows at position %,d",
          batch,
          far - batch);
      if (far < all) {
        made.tooLarge("positions above %,d, to a context of %,d", far, all);
      }
      if (last < batch) {
        made.tooLarge(
            "at the last positions rows above %d, to a batch of %d", last, SpecCases.BATCH);
      }
    }
    return made.made(
        "%s %d heads, %d KV heads of %d, %,d positions%s%s",
        s.kv(),
        s.heads(),
        s.kvHeads(),
        s.headDim(),
        all,
        s.window() == 0 ? "" : String.format(Locale.ROOT, ", window of %,d", s.window()),
        s.softCap() == 0 ? "" : ", soft cap " + s.softCap());
  }

  private static AttentionCase call(
      AttentionSpec s, int rows, int firstPosition, SpecCases.Wanted wanted) {
    return new AttentionCase(
        s.kv().id(),
        false,
        s.kvHeads(),
        s.heads() / s.kvHeads(),
        s.headDim(),
        rows,
        firstPosition,
        0,
        s.maxPositions() - firstPosition - rows,
        0,
        0,
        0,
        0,
        s.window(),
        s.softCap(),
        Values.NORMAL,
        rows == 1 ? Schedule.ONE : SpecCases.WORKERS,
        wanted.seed());
  }

  /// What is called until it is compiled.
  static List<CompiledCases<AttentionCase>> compiled() {
    List<String> shapes =
        List.of(
            "kvHeads=1,group=2,headDim=32,firstPosition=8",
            "kvHeads=2,group=3,headDim=21,firstPosition=37,spare=3",
            "kvHeads=4,group=4,headDim=64,firstPosition=300");
    return Stream.of(KvFormat.F32, KvFormat.F16)
        .map(AttentionCase::of)
        .flatMap(apply ->
            Stream.of(
                apply,
                CaseText.with(apply, "append=true"),
                CaseText.with(apply, "window=29,softCap=5")))
        .map(first -> new CompiledCases<>(List.of(first), shapes))
        .toList();
  }
}
