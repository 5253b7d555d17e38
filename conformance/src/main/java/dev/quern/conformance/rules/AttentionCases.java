package dev.quern.conformance.rules;

import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.data.KvFormat;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/// What attention kernels are tried on: both cache formats.
final class AttentionCases {
  /// Products of queries and keys of a case, at most: what keeps a run short.
  private static final long MAX_PRODUCTS = 1L << 17;

  private AttentionCases() {}

  static List<Subject<AttentionCase>> subjects(Candidate target) {
    List<Subject<AttentionCase>> subjects = new ArrayList<>();
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      AttentionCase first = AttentionCase.of(kv);
      subjects.add(
          new Subject<>(
              kv.id(),
              edges(first, target),
              () -> arbitrary(kv),
              () -> ModelCases.attention(first)));
    }
    return subjects;
  }

  private static List<AttentionCase> edges(AttentionCase first, Candidate target) {
    List<AttentionCase> edges = new ArrayList<>();
    edges.add(first);
    edges.add(shape(first, 1, 2, 6, 24, 120));
    edges.add(CaseText.with(shape(first, 4, 1, 64, 24, 3), "append=true,values=wide"));
    edges.add(shape(first, 2, 3, 64, 3, 17));
    List<Variant> variants = Calls.variants(() -> target.provider().attention(first.spec()));
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

  private static Arbitrary<AttentionCase> arbitrary(KvFormat kv) {
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
                values,
                schedule,
                seed));
  }

  private static int fewer(AttentionCase c) {
    long products = (long) c.heads() * c.headDim() * c.positions();
    return Math.clamp(MAX_PRODUCTS / products, 1, c.rows());
  }
}
