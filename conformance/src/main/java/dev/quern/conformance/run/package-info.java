/// Kernels with their operands: memory that notices stray accesses, workers that run tasks in any
/// order, and [Run], of which each operator has one.
package dev.quern.conformance.run;
