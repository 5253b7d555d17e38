/// Calls as data: what a kernel is called with, how operands are generated from a seed, and the
/// text that replays a case.
package dev.quern.conformance.cases;
