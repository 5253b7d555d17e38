package dev.quern.conformance.attention;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.rules.LargeSizes;
import dev.quern.conformance.rules.ModelSizes;
import dev.quern.conformance.rules.Sizes;
import dev.quern.conformance.rules.Subject;
import dev.quern.data.KvFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// What attention with a sliding window, with a soft cap, and with both is tried on: a subject
/// each, since providers have them or have not. (Gemma 2's layers have a cap, every second one a
/// window too.)
final class ScoreCases {
  private static final float GEMMA_CAP = 50;

  /// Caps far below the scores, near them, Gemma 2's, and far above.
  private static final List<Float> CAPS = List.of(1f, 0.125f, 5f, GEMMA_CAP, 1000f);

  /// Windows of models: Mistral 7B's, Gemma 3's, and others around tiles and ranges.
  private static final List<Integer> WINDOWS = List.of(4096, 1024, 512, 513, 63, 1, 2);

  /// Shapes, smallest first: decode and prefill, within a tile and across several; positions that
  /// begin and end where tiles do, and beside it.
  private static final List<String> EDGES =
      List.of(
          "window=1",
          "group=2,headDim=6,rows=24,firstPosition=120,window=40",
          "headDim=80,firstPosition=300,window=100",
          "group=2,headDim=16,rows=40,firstPosition=90,window=33",
          "kvHeads=2,group=4,headDim=32,rows=17,window=4",
          "group=2,headDim=8,rows=17,window=16",
          "group=2,headDim=8,rows=17,window=17",
          "group=2,headDim=8,rows=17,window=1000",
          "group=2,headDim=4,rows=3,firstPosition=1100,window=64",
          "group=2,headDim=4,rows=3,firstPosition=1100,window=1099",
          "headDim=8,firstPosition=1100,window=600",
          "headDim=8,firstPosition=1023,window=512",
          "headDim=8,firstPosition=1024,window=514",
          "headDim=8,rows=131,window=65",
          "kvHeads=2,group=2,headDim=16,rows=9,firstPosition=40,window=20,schedule=4/threads",
          "kvHeads=2,group=2,headDim=8,rows=3,firstPosition=3,window=2,spare=9,qPad=5,yPad=3");

  private ScoreCases() {}

  /// @param kv format of the cache
  static Stream<Subject<AttentionCase>> subjects(KvFormat kv) {
    return Stream.of(Scores.WINDOW, Scores.SOFT_CAP, Scores.WINDOW_AND_SOFT_CAP)
        .map(scores ->
            new Subject<>(
                kv.id() + " " + scores.id(),
                edges(kv, scores),
                () -> arbitrary(AttentionCases.arbitrary(kv), scores),
                () -> modelSizes(edges(kv, scores).getFirst(), scores)));
  }

  /// Every cap meets scores from far below it to far above.
  private static List<AttentionCase> edges(KvFormat kv, Scores scores) {
    List<AttentionCase> edges = new ArrayList<>();
    for (String edge : EDGES) {
      AttentionCase c = CaseText.with(AttentionCase.of(kv), edge);
      if (scores.capped()) {
        int i = edges.size();
        c = CaseText.with(c, "softCap", CAPS.get(i % CAPS.size()));
        c = CaseText.with(c, "qExponent", i == 0 ? 0 : i / CAPS.size() * 3 - 3);
      }
      edges.add(scores.windowed() ? c : CaseText.with(c, "window", 0));
    }
    return edges.stream().distinct().toList();
  }

  /// A window of any size, of all positions of the call, of all but one, or of as many as rows.
  private static Arbitrary<AttentionCase> arbitrary(Arbitrary<AttentionCase> plain, Scores scores) {
    return Combinators.combine(
            plain, Sizes.near(300), Arbitraries.integers().between(0, 5), Arbitraries.of(CAPS))
        .as((c, size, kind, cap) -> {
          int window =
              switch (kind) {
                case 3 -> c.positions();
                case 4 -> Math.max(1, c.positions() - 1);
                case 5 -> c.rows();
                default -> size;
              };
          return with(c, scores, window, cap);
        });
  }

  private static AttentionCase with(AttentionCase c, Scores scores, int window, float cap) {
    AttentionCase seen = CaseText.with(c, "window", scores.windowed() ? window : 0);
    return CaseText.with(seen, "softCap", scores.capped() ? cap : 0f);
  }

  private static ModelSizes<AttentionCase> modelSizes(AttentionCase first, Scores scores) {
    int positions = AttentionCases.SIZES.get("positions").getLast();
    int heads = AttentionCases.SIZES.get("heads").getLast();
    int headDim = AttentionCases.SIZES.get("headDim").getLast();
    int rows = LargeSizes.ROWS.getLast();
    List<AttentionCase> edges =
        LargeSizes.edges(
            first,
            List.of(
                LargeSizes.format(
                    "kvHeads=2,group=1,headDim=4,rows=9,firstPosition=%d,spare=1000,window=4096",
                    positions),
                LargeSizes.format(
                    "kvHeads=1,group=9,headDim=3,rows=%d,firstPosition=17,window=512", rows + 3),
                LargeSizes.format(
                    "kvHeads=%d,group=1,headDim=%d,rows=1,firstPosition=130,window=100",
                    heads + 1, headDim + 1)),
            Stream.empty(),
            List.of(
                "kvHeads=2,group=2,headDim=256,rows=70,firstPosition=4090,window=4096",
                LargeSizes.format(
                    "kvHeads=1,group=4,headDim=8,rows=1,firstPosition=%d,window=%d",
                    2 * positions, positions)));
    return new ModelSizes<>(
        edges.stream().map(c -> with(c, scores, c.window(), GEMMA_CAP)).toList(),
        mix -> {
          AttentionCase c = AttentionCases.drawn(first, mix);
          int any = 1 + mix.below(c.positions());
          int window = mix.oneIn(2) ? any : WINDOWS.get(mix.below(WINDOWS.size()));
          return with(c, scores, window, CAPS.get(mix.below(CAPS.size())));
        });
  }
}
