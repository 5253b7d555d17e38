/// Calls as data, whatever the operator: how operands are generated from a seed, how large models
/// are, and the text that replays a [Case].
package dev.quern.conformance.cases;
