/// The conformance suite. An author extends one class per operator, [LinearConformance] and so on,
/// and [ProviderConformance]; a program calls [Suite#run] and gets a [SuiteResult], from which
/// reports are made.
///
/// How it works, from the outside in:
///
/// - A [dev.quern.conformance.cases.Case] is one call as a short record. All operands come from its
///   seed, so its one line of text replays it on any machine.
/// - A [dev.quern.conformance.rules.Rule] checks a case and gives an
///   [dev.quern.conformance.judge.Outcome]: passed with the worst error against its bound, failed
///   with where, expected, actual and bound, or skipped with a reason.
/// - An [dev.quern.conformance.rules.OperatorSuite] has the rules of an operator and its subjects:
///   what reports have a row for, with fixed edge cases and a generator.
/// - `PropertyRunner` tries a rule on a subject and shrinks what fails.
/// - A [dev.quern.conformance.run.Run] is a kernel with its operands between canaries or guard
///   pages. Rules that hold for every operator need no more than that.
/// - The operators' own packages know what is right, in double precision; package `judge` has what
///   they share of that. No code is any codec's or provider's.
///
/// A new rule is one line in an operator's `rules()`. A new operator is a package of its own, with
/// a case, a run, a suite and what is right, a line in
/// [dev.quern.conformance.catalog.SuiteCatalog], and a test class here for authors to extend. No
/// package needs one that needs it.
package dev.quern.conformance;
