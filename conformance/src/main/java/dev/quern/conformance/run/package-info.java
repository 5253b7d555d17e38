/// Kernels with their operands: memory that notices stray accesses, workers that run tasks in any
/// order, and one `Run` per operator.
package dev.quern.conformance.run;
