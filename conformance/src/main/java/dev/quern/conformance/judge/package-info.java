/// What judging is about, below all else: [Candidate], who is judged, [Outcome], what came of it,
/// [Judgement], which collects comparisons until there is one, and the error bounds of SPEC.md with
/// the number formats by their definitions. No code is shared with the api's codecs or with any
/// provider.
package dev.quern.conformance.judge;
