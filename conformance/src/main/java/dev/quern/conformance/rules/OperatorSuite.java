package dev.quern.conformance.rules;

import dev.quern.Operator;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Run;
import dev.quern.op.Kernel;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.util.List;
import java.util.Map;

/// What the suite knows about one operator. A new operator is a package with one of these, one
/// [Case] and one [Run], and a line in the catalogue.
///
/// @param <C> its cases
public interface OperatorSuite<C extends Record & Case> {
  /// The operator.
  Operator<?, ?> operator();

  /// The operator's name: `linear`.
  default String name() {
    return operator().id();
  }

  /// The class of its cases.
  Class<C> caseType();

  /// What is tested, on this target: edge cases may depend on its variants.
  List<Subject<C>> subjects(Candidate target);

  /// What the provider says to a case's spec.
  default Offer<?> offer(C c, Candidate target) {
    return ask(operator(), c.spec(), target.kernels());
  }

  /// What kernels there are for a spec of an operator.
  static <S, K> Offer<K> ask(Operator<S, K> operator, Object spec, KernelSet kernels) {
    return operator.ask(kernels, operator.specType().cast(spec));
  }

  /// The names that may stand after the operator in a declaration, column by column.
  default List<List<String>> declaredNames() {
    return List.of();
  }

  /// For each column of [#declaredNames], from the first on, the name that a declaration without
  /// the column means: it was written before there was one. Empty where there always was; columns
  /// behind the last are such.
  default List<String> impliedNames() {
    return List.of();
  }

  /// A name of the last column that only the cases of one rule have, by that rule: subjects do not
  /// tell it.
  default Map<String, String> namesByRule() {
    return Map.of();
  }

  /// The sizes that its conditions may name.
  List<String> declaredSizes();

  /// A case's spec in the terms of a support declaration.
  Query query(C c);

  /// How large each dimension gets in the models that people run, by size, smallest first.
  Map<String, List<Integer>> sizesInModels();

  /// The cases of a model's kernel at its exact size.
  ///
  /// @param wanted with a spec of this operator
  SpecCases specCases(SpecCases.Wanted wanted);

  /// Cases of each kind of kernel: `quern selfcheck` calls them until they are compiled.
  List<CompiledCases<C>> compiledCases();

  /// A kernel with a case's operands.
  ///
  /// @throws dev.quern.conformance.run.DeclinedException if the provider declines the spec
  Run open(C c, Candidate target, Memory memory);

  /// A small case with so many rows, heads or outputs that each of 64 workers has tasks.
  C manyTasks(C c);

  /// The case with its rows far apart.
  default C wide(C c) {
    return Strides.wide(c);
  }

  /// A call of the case's kind (one row or several, for attention `append` or `apply`) that is so
  /// large that an array of its size shows among all else that a call may allocate.
  C large(C c);

  /// A case of the largest models' spec, or a larger one. It is no call: operands would be too
  /// many.
  C huge(C c);

  /// A kernel of a case's spec, without the case's operands.
  ///
  /// @throws dev.quern.conformance.run.DeclinedException if the provider declines the spec
  default Kernel kernel(C c, Candidate target, Memory memory) {
    return (Kernel) DeclinedException.accepted(offer(c, target)).kernel();
  }

  /// The operator's own rules, and those of section P.
  List<Rule<C>> rules();
}
