package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseFacts;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.DeclinedException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// What the cases of a run reach: sizes, and which features meet which. It listens to the rules, on
/// whatever thread they are checked, and counts each case as its text says it; calls that a rule
/// makes besides, such as with other workers, are not seen.
///
/// @since 0.1
/// @stability api
public final class Coverage {
  private final Map<String, Operator> operators = new LinkedHashMap<>(); // guarded by this

  /// Nothing reached yet.
  public Coverage() {}

  /// Of one operator. A pair is `x=ties & order=threads`, in the order of the case's record.
  private static final class Operator {
    final Map<String, Integer> tried = new LinkedHashMap<>();
    final Map<String, Integer> passed = new LinkedHashMap<>();
    final Map<String, Set<String>> values = new LinkedHashMap<>();
    final Set<String> met = new HashSet<>();
    final Set<String> declined = new HashSet<>();
  }

  /// The rule, whose cases are counted from now on.
  <C extends Record & Case> Rule<C> watching(OperatorSuite<C> suite, Rule<C> rule) {
    Rule.PatientCheck<C> watched =
        (c, target, tries) -> {
          try {
            Outcome outcome = rule.check().check(c, target, tries);
            add(suite.name(), c, outcome);
            return outcome;
          } catch (DeclinedException e) {
            declined(suite.name(), c);
            throw e;
          }
        };
    return rule.checkedBy(watched);
  }

  /// A kernel was called with a case, and did well or not; of what was skipped nothing is reached.
  <C extends Record & Case> void add(String operator, C c, Outcome outcome) {
    if (outcome instanceof Outcome.Skip) {
      return;
    }
    Map<String, Integer> sizes = CaseFacts.sizes(c);
    Map<String, String> features = CaseFacts.features(c);
    synchronized (this) {
      Operator o = operator(operator);
      sizes.forEach((name, size) -> {
        o.tried.merge(name, size, Math::max);
        o.passed.merge(name, outcome instanceof Outcome.Pass ? size : 0, Math::max);
      });
      features.forEach(
          (name, value) -> o.values.computeIfAbsent(name, n -> new LinkedHashSet<>()).add(value));
      forEachPair(features, o.met::add);
    }
  }

  /// The provider declined a case, so that its features can't meet.
  <C extends Record & Case> void declined(String operator, C c) {
    Map<String, String> features = CaseFacts.features(c);
    synchronized (this) {
      forEachPair(features, operator(operator).declined::add);
    }
  }

  private Operator operator(String name) {
    return operators.computeIfAbsent(name, n -> new Operator());
  }

  private static void forEachPair(Map<String, String> features, Consumer<String> pairs) {
    List<String> all = features.entrySet().stream().map(Object::toString).toList(); // name=value
    for (int i = 0; i < all.size(); i++) {
      for (int j = i + 1; j < all.size(); j++) {
        pairs.accept(pair(all.get(i), all.get(j)));
      }
    }
  }

  private static String pair(String first, String second) {
    return first + " & " + second;
  }

  /// What was reached.
  ///
  /// @param largest how large sizes get in models
  public synchronized CoverageTable table(Largest largest) {
    List<CoverageTable.Operator> list = new ArrayList<>();
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      Operator o = operators.get(suite.name());
      if (o != null && !o.tried.isEmpty()) {
        List<CoverageTable.Size> sizes =
            o.tried.entrySet().stream()
                .map(e ->
                    new CoverageTable.Size(
                        e.getKey(),
                        e.getValue(),
                        o.passed.get(e.getKey()),
                        largest.of(suite.name(), e.getKey())))
                .toList();
        list.add(new CoverageTable.Operator(suite.name(), sizes, pairs(suite, o)));
      }
    }
    return new CoverageTable(list);
  }

  /// Every two features that have several values each.
  private static List<CoverageTable.Pairs> pairs(OperatorSuite<?> suite, Operator o) {
    Map<String, List<String>> known = CaseFacts.values(suite.caseType());
    Map<String, List<String>> values = new LinkedHashMap<>();
    o.values.forEach((name, seen) -> {
      List<String> all =
          Stream.concat(known.getOrDefault(name, List.of()).stream(), seen.stream().sorted())
              .distinct()
              .toList();
      if (all.size() > 1) {
        values.put(name, all);
      }
    });
    List<String> names = List.copyOf(values.keySet());
    List<CoverageTable.Pairs> pairs = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      for (int j = i + 1; j < names.size(); j++) {
        pairs.add(pairs(o, names.get(i), names.get(j), values));
      }
    }
    return pairs;
  }

  private static CoverageTable.Pairs pairs(
      Operator o, String first, String second, Map<String, List<String>> values) {
    int met = 0;
    int declined = 0;
    List<String> unmet = new ArrayList<>();
    for (String a : values.get(first)) {
      for (String b : values.get(second)) {
        String pair = pair(first + "=" + a, second + "=" + b);
        if (o.met.contains(pair)) {
          met++;
        } else if (o.declined.contains(pair)) {
          declined++;
        } else {
          unmet.add(pair);
        }
      }
    }
    return new CoverageTable.Pairs(first, second, met, declined, unmet);
  }

  /// All of it as lines of words between tabs, for a file that a later run goes on from.
  synchronized List<List<String>> lines() {
    List<List<String>> lines = new ArrayList<>();
    operators.forEach((operator, o) -> {
      o.tried.forEach((name, size) ->
          lines.add(
              List.of(operator, "size", name, size.toString(), o.passed.get(name).toString())));
      o.values.forEach(
          (name, values) -> values.forEach(v -> lines.add(List.of(operator, "value", name, v))));
      o.met.stream().sorted().forEach(p -> lines.add(List.of(operator, "met", p)));
      o.declined.stream().sorted().forEach(p -> lines.add(List.of(operator, "declined", p)));
    });
    return lines;
  }

  /// Adds what [#lines] gave.
  ///
  /// @throws IllegalArgumentException if a line is none of those
  synchronized void addLines(Collection<List<String>> lines) {
    for (List<String> line : lines) {
      try {
        Operator o = operator(line.get(0));
        switch (line.get(1)) {
          case "size" -> {
            o.tried.merge(line.get(2), Integer.valueOf(line.get(3)), Math::max);
            o.passed.merge(line.get(2), Integer.valueOf(line.get(4)), Math::max);
          }
          case "value" ->
              o.values.computeIfAbsent(line.get(2), k -> new LinkedHashSet<>()).add(line.get(3));
          case "met" -> o.met.add(line.get(2));
          case "declined" -> o.declined.add(line.get(2));
          default -> throw new IllegalArgumentException("no kind of line");
        }
      } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "coverage %s: %s", line, e.getMessage()), e);
      }
    }
  }
}
