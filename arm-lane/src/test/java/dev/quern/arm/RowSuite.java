package dev.quern.arm;

import dev.quern.conformance.Selection;
import dev.quern.conformance.Target;
import dev.quern.conformance.testing.SuitePart;
import dev.quern.spi.KernelProvider;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/// A named part of the conformance suite, small enough for C2 under an emulator, on edge cases and
/// a generated case each. Unless said otherwise the rules about numbers ([#NUMBERS]), with guard
/// pages around all operands: the others ask what a kernel does with threads, scratch and strides,
/// which is no question of the CPU; they are judged outside emulation.
///
/// @param provider what is tested
/// @param rules of each operator
/// @param subjects what of it
record RowSuite(
    Supplier<KernelProvider> provider, Map<String, Set<String>> rules, Subject... subjects) {
  /// How many generated cases, beside the edge cases.
  private static final int TRIES = 1;

  static final Map<String, Set<String>> NUMBERS =
      Map.of(
          "linear", Set.of("L1", "L5", "L6", "L9", "L10", "P7"),
          "attention", Set.of("A1", "A6", "A8", "P7"),
          "rmsnorm", Set.of("N1", "N2", "P7"),
          "rope", Set.of("R1", "R2", "P7"),
          "swiglu", Set.of("S1", "S2", "P7"));

  /// An operator and one kind of its specs, such as `Q4_0`; `all` for one without formats.
  record Subject(String operator, String word) {}

  static Subject of(String operator, String word) {
    return new Subject(operator, word);
  }

  RowSuite(Supplier<KernelProvider> provider, Subject... subjects) {
    this(provider, NUMBERS, subjects);
  }

  /// A test for each subject.
  Stream<DynamicTest> tests() {
    System.out.println("only these rules, the others are judged elsewhere: " + rules);
    return Stream.of(subjects)
        .map(s -> DynamicTest.dynamicTest(s.operator() + " " + s.word(), () -> check(s)));
  }

  private void check(Subject subject) {
    Selection selection =
        new Selection(
            Set.of(subject.operator),
            subject.word.equals("all") ? Set.of() : Set.of(subject.word),
            rules.get(subject.operator));
    SuitePart.check(
        subject.operator + " " + subject.word, Target.here(provider.get()), selection, TRIES);
  }
}
