/// What judging is about, below all else: [Candidate], who is judged, [Outcome], what came of it,
/// and [Verdict], which collects comparisons until there is one.
package dev.quern.conformance.judge;
