package dev.quern.conformance.linear;

import dev.quern.conformance.judge.Bounds;
import dev.quern.conformance.judge.Judgement;
import dev.quern.op.Numerics;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Rules L5 to L9 and L13 on a result of a linear kernel.
public final class LinearBounds {
  private LinearBounds() {}

  /// From this many products on, rows are summed at the same time.
  private static final long MANY_PRODUCTS = 1L << 20;

  /// A row of x, by its content: rows of large cases are alike.
  ///
  /// @param all `[rows][inputs]`
  /// @param from where it begins
  private record Row(float[] all, int from, int inputs) {
    /// Numbers that are looked at for a hash.
    private static final int SOME = 256;

    float[] x() {
      return Arrays.copyOfRange(all, from, from + inputs);
    }

    boolean finite() {
      for (int i = from; i < from + inputs; i++) {
        if (!Float.isFinite(all[i])) {
          return false;
        }
      }
      return true;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Row row
          && Arrays.equals(all, from, from + inputs, row.all, row.from, row.from + inputs);
    }

    @Override
    public int hashCode() {
      int hash = 0;
      for (int i = 0; i < inputs; i += Math.ceilDiv(inputs, SOME)) {
        hash = 31 * hash + Float.floatToIntBits(all[from + i]);
      }
      return hash;
    }
  }

  /// What a row of x gives with each different row of weights, by one model of its activations.
  ///
  /// @param sums `[matrix][row of weights]`
  /// @param bounds of L5 and L9, without the part of what y held
  private record Sums(double[][] sums, double[][] bounds) {}

  /// Against the sum over the activations as the variant's numerics rounds them, and under L13 the
  /// weights: L5, and the tight checks of L9 and L13. Rows with a non-finite element are left out:
  /// rule L10 has them.
  public static Judgement tight(LinearRun run, float[] y) {
    return judge(run, y, false);
  }

  /// Against the sum over the activations themselves: the wide checks of L9 and L13.
  public static Judgement wide(LinearRun run, float[] y) {
    return judge(run, y, true);
  }

  private static Judgement judge(LinearRun run, float[] y, boolean wide) {
    List<Row> rows = IntStream.range(0, run.rows()).mapToObj(r -> row(run, r)).toList();
    List<Row> different = rows.stream().filter(Row::finite).distinct().toList();
    Numerics numerics = run.variant(run.rows()).numerics();
    boolean bf16 = numerics.equals(Numerics.BF16) && !wide;
    boolean floats = BlockLayout.of(run.spec().format()) == null;
    List<DecodedWeights> weights =
        bf16 ? run.weights().stream().map(w -> w.toBf16(floats)).toList() : run.weights();
    long products = weights.stream().mapToLong(w -> w.values().length).sum() * different.size();
    Stream<Row> stream = products < MANY_PRODUCTS ? different.stream() : different.parallelStream();
    List<List<Sums>> sums = stream.map(row -> sums(row.x(), weights, numerics, wide)).toList();
    Map<Row, List<Sums>> byRow = new HashMap<>();
    for (int i = 0; i < different.size(); i++) {
      byRow.put(different.get(i), sums.get(i));
    }
    Judgement verdict = new Judgement();
    for (int r = 0; r < rows.size(); r++) {
      int row = r;
      List<Sums> models = byRow.getOrDefault(rows.get(r), List.of());
      if (models.size() == 1) {
        judgeRow(run, r, models.getFirst(), y, verdict);
      } else {
        // Where L8 leaves the model open, the row must meet one of them as a whole.
        models.stream()
            .map(model -> judgeRow(run, row, model, y, new Judgement()))
            .min(Comparator.comparingDouble(Judgement::worst))
            .ifPresent(verdict::add);
      }
    }
    return verdict;
  }

  private static Row row(LinearRun run, int r) {
    int inputs = run.spec().inputs();
    return new Row(run.data().x(), r * inputs, inputs);
  }

  private static List<Sums> sums(
      float[] x, List<DecodedWeights> weights, Numerics numerics, boolean wide) {
    List<RoundedRow> models = RoundedRow.models(numerics, x);
    return (wide ? models.stream().limit(1) : models.stream())
        .map(m -> sums(x, m, weights, wide))
        .toList();
  }

  private static Sums sums(
      float[] x, RoundedRow model, List<DecodedWeights> weights, boolean wide) {
    double[][] sums = new double[weights.size()][];
    double[][] bounds = new double[weights.size()][];
    double[] values = wide ? doubles(x) : model.values();
    double[] distances = wide ? model.distance() : model.slack();
    for (int m = 0; m < weights.size(); m++) {
      DecodedWeights w = weights.get(m);
      int rows = w.values().length / x.length;
      sums[m] = new double[rows];
      bounds[m] = new double[rows];
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        double products = 0; // Σ abs(x) * M
        double operands = 0; // Σ (1 + abs(x) + M)
        double allowance = 0; // Σ distance of x from what the kernel may use * abs(W)
        for (int i = 0, at = row * x.length; i < x.length; i++, at++) {
          double weight = w.values()[at];
          double magnitude = w.magnitudes()[at];
          sum += values[i] * weight;
          products += model.magnitudes()[i] * magnitude;
          operands += 1 + Math.abs(x[i]) + magnitude;
          allowance += distances[i] * Math.abs(weight) + w.slackAt(at) * Math.abs(values[i]);
        }
        sums[m][row] = sum;
        bounds[m][row] = Bounds.linear(x.length, products, operands) + allowance;
      }
    }
    return new Sums(sums, bounds);
  }

  private static double[] doubles(float[] x) {
    double[] doubles = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      doubles[i] = x[i];
    }
    return doubles;
  }

  private static Judgement judgeRow(
      LinearRun run, int r, Sums model, float[] y, Judgement verdict) {
    LinearCase c = run.spec();
    int columns = c.totalOutputs();
    int o = 0;
    for (int m = 0; m < run.weights().size(); m++) {
      int[] rows = run.weights().get(m).rows();
      for (int row : rows) {
        double before = c.accumulate() ? run.data().before()[r * columns + o] : 0;
        double bias = c.bias() ? run.data().bias()[o] : 0;
        double added = (c.accumulate() && c.bias() ? 2 : 1) * (Math.abs(before) + Math.abs(bias));
        double bound = model.bounds[m][row] + Bounds.U * added;
        double sum = before + bias + model.sums[m][row];
        verdict.close("y", r, o, sum, y[r * columns + o], bound);
        o++;
      }
    }
    return verdict;
  }
}
