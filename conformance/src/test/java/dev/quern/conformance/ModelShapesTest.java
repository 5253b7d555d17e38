package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.attention.AttentionCase;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.linear.LinearCase;
import dev.quern.conformance.rows.RmsNormCase;
import dev.quern.conformance.rows.RopeCase;
import dev.quern.conformance.rows.SwiGluCase;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Subject;
import dev.quern.provider.scalar.ScalarProvider;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The table of models, and that the space of model sizes reaches beyond it.
class ModelShapesTest {
  private static final Target SCALAR = Target.here(new ScalarProvider());

  /// Cases that reach beyond all models: the first.
  private static final int ALWAYS = 3;

  @Test
  void theLargestOfEachDimension() {
    assertEquals(OptionalLong.of(36864), SuiteCatalog.largest("linear", "inputs"));
    assertEquals(OptionalLong.of(262144), SuiteCatalog.largest("linear", "outputs"));
    assertEquals(OptionalLong.of(131072), SuiteCatalog.largest("attention", "positions"));
    assertEquals(OptionalLong.of(256), SuiteCatalog.largest("rope", "headDim"));
    assertEquals(OptionalLong.empty(), SuiteCatalog.largest("linear", "heads"));
    assertEquals(OptionalLong.empty(), SuiteCatalog.largest("convolution", "heads"));
  }

  @Test
  void everySubjectReachesBeyondAllOfThem() {
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      reaches(suite);
    }
  }

  private static <C extends Record & Case> void reaches(OperatorSuite<C> suite) {
    for (Subject<C> subject : suite.subjects(SCALAR)) {
      List<C> edges = subject.modelSizes().get().edges();
      Map<String, Integer> few = largest(edges.subList(0, Math.min(ALWAYS, edges.size())));
      Map<String, Integer> all = largest(edges);
      suite
          .sizesInModels()
          .forEach((dimension, sizes) -> {
            int largest = groups(subject, dimension) ? 1 : sizes.getLast();
            String what = String.format(Locale.ROOT, "%s %s", subject.label(), dimension);
            assertTrue(all.get(dimension) >= largest, what);
            // Three stacked matrices, and a head's full width, may wait.
            boolean mayWait = List.of("stacked", "capacity", "headDim").contains(dimension);
            assertTrue(mayWait || few.get(dimension) >= largest, what);
          });
    }
  }

  @Test
  void drawnCasesReachTwiceAsFarAndStayAffordable() {
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      drawn(suite);
    }
  }

  private static <C extends Record & Case> void drawn(OperatorSuite<C> suite) {
    drawn(suite, suite.subjects(SCALAR).getFirst());
    drawn(suite, suite.subjects(SCALAR).getLast());
  }

  private static <C extends Record & Case> void drawn(OperatorSuite<C> suite, Subject<C> subject) {
    Mix mix = new Mix(1, suite.name());
    List<C> cases =
        Stream.generate(() -> subject.modelSizes().get().drawn().apply(mix)).limit(3000).toList();
    cases.forEach(Case::spec);
    Map<String, Integer> reached = largest(cases);
    suite
        .sizesInModels()
        .forEach((dimension, sizes) -> {
          int largest = sizes.getLast();
          // Of matrices that drawn cases stack there are two.
          if (!dimension.equals("stacked") && !groups(subject, dimension)) {
            assertTrue(reached.get(dimension) > largest, suite.name() + " " + dimension);
          }
        });
    for (C c : cases) {
      assertTrue(numbers(c) <= 1L << 26, c.toString());
    }
  }

  /// Whether it is the groups of RMSNorm's whole rows, of which there is one.
  private static boolean groups(Subject<?> subject, String dimension) {
    return dimension.equals("groups")
        && subject.first() instanceof RmsNormCase n
        && n.groups() == 1;
  }

  /// Numbers of the largest operand.
  private static long numbers(Case c) {
    return switch (c) {
      case LinearCase l ->
          Math.max(
              (long) l.totalOutputs() * l.inputs(),
              (long) l.rows() * Math.max(l.totalOutputs(), l.inputs()));
      case AttentionCase a ->
          Math.max(
              (long) a.kvHeads() * a.capacity() * a.headDim(),
              (long) a.rows() * a.heads() * a.headDim());
      case RmsNormCase n -> (long) n.rows() * n.columns();
      case SwiGluCase s -> (long) s.rows() * s.width();
      case RopeCase r ->
          Math.max(
              (long) r.rows() * r.heads() * r.headDim(),
              ((long) r.firstPosition() + r.rows() + r.spare()) * r.headDim());
      default -> throw new IllegalArgumentException(c.toString());
    };
  }

  private static Map<String, Integer> largest(List<? extends Case> cases) {
    Map<String, Integer> largest = new HashMap<>();
    cases.stream()
        .flatMap(c -> dimensions(c).entrySet().stream())
        .forEach(e -> largest.merge(e.getKey(), e.getValue(), Math::max));
    return largest;
  }

  private static Map<String, Integer> dimensions(Case c) {
    Map<String, Integer> sizes = new HashMap<>(Map.of("rows", c.rows()));
    switch (c) {
      case LinearCase l ->
          sizes.putAll(
              Map.of(
                  "inputs", l.inputs(),
                  "outputs", l.totalOutputs(),
                  "stacked", l.outputs().size()));
      case AttentionCase a ->
          sizes.putAll(
              Map.of(
                  "heads", a.heads(),
                  "kvHeads", a.kvHeads(),
                  "group", a.group(),
                  "headDim", a.headDim(),
                  "positions", a.append() ? 0 : a.positions(),
                  "capacity", a.capacity()));
      case RmsNormCase n -> sizes.putAll(Map.of("width", n.columns(), "groups", n.groups()));
      case SwiGluCase s -> sizes.put("width", s.width());
      case RopeCase r ->
          sizes.putAll(
              Map.of(
                  "heads", r.heads(),
                  "headDim", r.headDim(),
                  "positions", r.firstPosition() + r.rows()));
      default -> throw new IllegalArgumentException(c.toString());
    }
    return sizes;
  }
}
